//! In: nothing. Out: the ways to sign in, and how sure one is. Bounded: a handful of frames. Left to others:
//! recognizing them.

use crate::capture::FrameRef;
use crate::words::words;

words! {
    /// A sign-in method.
    #[derive(Default)]
    pub enum SignInMethod {
        /// Extension and PIN.
        Pin = "pin",
        /// Credentials from a tethered PC.
        UsbTethered = "usb-tethered",
        /// Nothing tells.
        #[default]
        Unknown = "unknown",
    }
}

words! {
    /// How sure a sign-in method is.
    #[derive(Default)]
    pub enum SignInStrength {
        /// The capture shows it.
        Seen = "seen",
        /// The capture fits it.
        #[default]
        ConsistentWith = "consistent-with",
    }
}

/// How a device signed in.
#[derive(Clone, Debug, Default)]
pub struct SignIn {
    /// The method.
    pub method: SignInMethod,
    /// How sure it is.
    pub strength: SignInStrength,
    /// The frames it rests on, each with what it shows.
    pub basis: Vec<(FrameRef, String)>,
}
