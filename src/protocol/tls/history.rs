//! In: the messages of a handshake in order. Out: the history in reports, one letter for each message. Bounded: by
//! `facts`, which collects them. Left to others: what the messages say.

use std::fmt;

use crate::flow::Side;

/// What one letter of a history stands for. Capitals are the client's (docs/report.md lists them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Letter {
    /// `C`: ClientHello.
    ClientHello,
    /// `s`: ServerHello.
    ServerHello,
    /// `X`, `x`: Certificate.
    Certificate(Side),
    /// `k`: ServerKeyExchange.
    ServerKeyExchange,
    /// `r`: CertificateRequest.
    CertificateRequest,
    /// `n`: ServerHelloDone.
    ServerHelloDone,
    /// `K`: ClientKeyExchange.
    ClientKeyExchange,
    /// `V`, `v`: CertificateVerify.
    CertificateVerify(Side),
    /// `I`, `i`: ChangeCipherSpec.
    ChangeCipherSpec(Side),
    /// `F`, `f`: Finished, or the first encrypted handshake record.
    Finished(Side),
    /// `t`: NewSessionTicket.
    NewSessionTicket,
    /// `L`, `l`: an alert, readable or not.
    Alert(Side),
    /// `D`, `d`: the first record of application data.
    Data(Side),
    /// `H`, `h`: a heartbeat.
    Heartbeat(Side),
    /// `E`, `e`: FIN.
    Fin(Side),
    /// `Z`, `z`: RST.
    Rst(Side),
    /// `?`: bytes are missing or not TLS, so the letters after it are uncertain.
    Uncertain,
}

impl Letter {
    /// Whether it is a message of the flight with which the server answers the ClientHello.
    pub fn is_server_flight(self) -> bool {
        matches!(
            self,
            Self::ServerHello
                | Self::Certificate(Side::Server)
                | Self::ServerKeyExchange
                | Self::CertificateRequest
                | Self::ServerHelloDone
        )
    }

    /// Whether it is a message of the flight with which the client answers the server's, before ChangeCipherSpec.
    fn is_client_flight(self) -> bool {
        matches!(
            self,
            Self::Certificate(Side::Client) | Self::ClientKeyExchange | Self::CertificateVerify(Side::Client)
        )
    }

    /// Whether a client sends it only once it accepted what the server sent: any record that is neither an alert nor the
    /// end (D-PROTOCOL-19). In TLS 1.3 a client may send a ChangeCipherSpec before its alert (RFC 8446 appendix D.4).
    pub(super) fn goes_on(self, is_1_3: bool) -> bool {
        let changes = self == Self::ChangeCipherSpec(Side::Client) && !is_1_3;
        self.is_client_flight() || changes || self == Self::Heartbeat(Side::Client)
    }

    /// Whether it is a handshake message that both sides send before they encrypt (TLS 1.2 and earlier).
    pub(super) fn is_negotiation(self) -> bool {
        self == Self::ClientHello || self.is_server_flight() || self.is_client_flight()
    }

    fn as_char(self) -> char {
        let (client, server, side) = match self {
            Self::ClientHello => return 'C',
            Self::ServerHello => return 's',
            Self::ServerKeyExchange => return 'k',
            Self::CertificateRequest => return 'r',
            Self::ServerHelloDone => return 'n',
            Self::ClientKeyExchange => return 'K',
            Self::NewSessionTicket => return 't',
            Self::Uncertain => return '?',
            Self::Certificate(side) => ('X', 'x', side),
            Self::CertificateVerify(side) => ('V', 'v', side),
            Self::ChangeCipherSpec(side) => ('I', 'i', side),
            Self::Finished(side) => ('F', 'f', side),
            Self::Alert(side) => ('L', 'l', side),
            Self::Data(side) => ('D', 'd', side),
            Self::Heartbeat(side) => ('H', 'h', side),
            Self::Fin(side) => ('E', 'e', side),
            Self::Rst(side) => ('Z', 'z', side),
        };
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }
}

/// The messages of a handshake and the end of its connection, in the order of the capture. Prints as its letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct History(Vec<Letter>);

impl History {
    /// Whether it has this letter.
    pub fn has(&self, letter: Letter) -> bool {
        self.0.contains(&letter)
    }

    /// Whether it has a hello of either side.
    pub fn has_hello(&self) -> bool {
        self.has(Letter::ClientHello) || self.has(Letter::ServerHello)
    }

    /// Whether it has a message of the server's first flight.
    pub fn has_server_flight(&self) -> bool {
        self.0.iter().any(|letter| letter.is_server_flight())
    }

    /// Whether bytes are missing or not TLS, so that letters after them are uncertain.
    pub fn is_uncertain(&self) -> bool {
        self.has(Letter::Uncertain)
    }
}

impl FromIterator<Letter> for History {
    fn from_iter<I: IntoIterator<Item = Letter>>(letters: I) -> Self {
        Self(letters.into_iter().collect())
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", letter.as_char()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_prints_one_letter_a_message_and_capitals_for_the_client() {
        use Side::{Client, Server};
        let history: History = [
            Letter::ClientHello,
            Letter::ServerHello,
            Letter::Certificate(Server),
            Letter::ServerHelloDone,
            Letter::ClientKeyExchange,
            Letter::ChangeCipherSpec(Client),
            Letter::Finished(Client),
            Letter::Heartbeat(Client),
            Letter::Heartbeat(Server),
            Letter::Alert(Server),
            Letter::Fin(Server),
            Letter::Rst(Client),
        ]
        .into_iter()
        .collect();
        assert_eq!(history.to_string(), "CsxnKIFHhleZ");
        assert!(history.has_hello() && history.has_server_flight() && !history.is_uncertain());
        assert!(!history.has(Letter::Certificate(Client)));
    }
}
