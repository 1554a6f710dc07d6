//! In: times as capture files store them. Out: the one time type of the program. Bounded: nanoseconds in an `i64`, the
//! years 1677 to 2262. Left to others: what a time means.

use std::fmt;
use std::num::NonZeroUsize;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant in nanoseconds since 1970-01-01T00:00:00Z, with the number of sub-second digits its source recorded.
///
/// Two instants are equal if their nanoseconds are; the digits only affect printing.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp {
    nanos: i64,
    /// The number of digits plus one. It is never zero, so that an `Option` of an instant takes no more room: optional
    /// frames are most of what is kept of a connection. It is a whole word because instants are copied all the time,
    /// and reading a word that was just written in parts stalls the processor.
    digits: NonZeroUsize,
}

/// 1970-01-01T00:00:00Z.
impl Default for Timestamp {
    fn default() -> Self {
        Self::from_seconds(0)
    }
}

impl Timestamp {
    /// From nanoseconds since the Unix epoch, printed with `digits` (0 to 9) digits after the second.
    pub fn from_nanos(nanos: i64, digits: u8) -> Self {
        Self { nanos, digits: NonZeroUsize::MIN.saturating_add(digits.min(9).into()) }
    }

    /// From whole seconds since the Unix epoch; saturates at the ends of the range.
    pub fn from_seconds(seconds: i64) -> Self {
        Self::from_nanos(seconds.saturating_mul(1_000_000_000), 0)
    }

    /// From RFC 3339 text, such as `2026-01-30T00:00:00Z`.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let nanos = i64::try_from(at.unix_timestamp_nanos()).ok()?;
        Some(Self::from_nanos(nanos, if nanos % 1_000_000_000 == 0 { 0 } else { 9 }))
    }

    /// Nanoseconds since the Unix epoch.
    pub fn nanos(self) -> i64 {
        self.nanos
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.nanos.div_euclid(1_000_000_000)
    }

    /// The number of digits after the second with which it is printed.
    pub(crate) fn digits(self) -> u8 {
        u8::try_from(self.digits.get() - 1).unwrap_or(9)
    }

    /// `self - earlier` in nanoseconds; saturates.
    pub fn since(self, earlier: Self) -> i64 {
        self.nanos.saturating_sub(earlier.nanos)
    }

    /// The same instant as shown by a clock that is this many nanoseconds ahead; saturates.
    pub fn moved(self, nanos: i64) -> Self {
        Self { nanos: self.nanos.saturating_add(nanos), ..self }
    }

    fn utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The date alone, `2026-01-30`.
    pub fn date(self) -> String {
        let at = self.utc();
        format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day())
    }

    /// The time of day in UTC to the millisecond, `12:00:01.113`.
    pub fn clock(self) -> String {
        let at = self.utc();
        let millis = self.nanos.rem_euclid(1_000_000_000) / 1_000_000;
        format!("{:02}:{:02}:{:02}.{millis:03}", at.hour(), at.minute(), at.second())
    }
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}
impl Eq for Timestamp {}
impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.nanos.cmp(&other.nanos)
    }
}
impl std::hash::Hash for Timestamp {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.nanos.hash(state);
    }
}

/// RFC 3339 in UTC with the source's precision.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.utc();
        write!(f, "{}T{:02}:{:02}:{:02}", self.date(), at.hour(), at.minute(), at.second())?;
        let digits = self.digits.get() - 1;
        if digits > 0 {
            let fraction =
                self.nanos.rem_euclid(1_000_000_000) / 10_i64.pow(u32::try_from(9 - digits).unwrap_or_default());
            write!(f, ".{fraction:0width$}", width = digits)?;
        }
        f.write_str("Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_precision_of_its_source() {
        // date -u -d @1700000000 gives 2023-11-14T22:13:20
        let nanos = 1_700_000_000_123_456_789;
        assert_eq!(Timestamp::from_nanos(nanos, 6).to_string(), "2023-11-14T22:13:20.123456Z");
        assert_eq!(Timestamp::from_nanos(nanos, 9).to_string(), "2023-11-14T22:13:20.123456789Z");
        assert_eq!(Timestamp::from_seconds(1_700_000_000).to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(Timestamp::from_nanos(nanos, 6).clock(), "22:13:20.123");
        assert_eq!(Timestamp::parse_rfc3339("2023-11-14T23:13:20+01:00"), Some(Timestamp::from_seconds(1_700_000_000)));
    }

    #[test]
    fn times_before_the_epoch_round_down() {
        assert_eq!(Timestamp::from_nanos(-1, 9).to_string(), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(Timestamp::from_nanos(-1, 9).seconds(), -1);
    }
}
