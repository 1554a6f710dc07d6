//! Stage 7: a device's session meets what it could have believed, and what does not fit becomes findings.
//!
//! In: [`Evidence`](crate::evidence::Evidence) and [`Trust`]. Out: [`Diagnosis`]: per device its judged handshakes,
//! findings and a verdict. Bounded: by what the evidence keeps. Left to others: text beyond single sentences, and any
//! format.
//!
//! The order is that of `docs/verdict.md`: each handshake is assessed (`assess`), the causes that remain for its ending
//! are decided in one place (`cause`), `recovery` says which success recovered a failure, `exclude` why other causes
//! are excluded, the families of `rules` put that into words and evidence, and `verdict` settles severity and the
//! headline. `diagnose` is the wiring.

mod anchors;
mod answers;
mod assess;
mod cause;
mod clock;
mod code;
mod defects;
mod diagnose;
mod earlier;
mod elsewhere;
mod exclude;
mod finding;
mod inspection;
mod instants;
mod judged;
mod offers;
mod preflight;
mod presented;
mod profiles;
mod recovery;
mod refusal;
mod rules;
mod ruling;
mod session;
mod stage;
mod survey;
mod verdict;
mod words;

pub use crate::trust::{ProfileChoice, Supplied, Trust};
pub use anchors::Absence;
pub use answers::{AnswerBasis, Expected};
pub use assess::{
    Algorithms, AsSent, Assessment, ChainEnd, ClientIssuer, DateFault, Dated, Dates, Form, Malformed, NameCheck,
    Refusable, Unusable,
};
pub use clock::DeviceClock;
pub use code::{Code, RULES, Rule, rule_named};
pub use defects::Visible;
pub use diagnose::{Case, DeviceDiagnosis, Devices, Diagnosis, diagnose};
pub use elsewhere::Elsewhere;
pub use finding::{Excluded, Finding, ProfileBasis, Severity, Verdict, VerdictStatus};
pub use judged::Judged;
pub use preflight::{Preflight, Prospect, preflight};
pub use presented::Presented;
pub use ruling::Ruling;
pub use stage::Stage;
pub use survey::{Census, Effort, judge_each, survey};

pub(crate) use clock::SKEW;
pub(crate) use words::{ending as ending_in_words, ending_of};
