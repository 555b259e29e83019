//! Secrets in packages: finding them, what a repository wants done about them, and encrypting them. Pure: bytes come in, and
//! places or bytes go out. No value of a secret leaves this module, in no report and no error.

mod json;
mod kinds;
mod matcher;
mod policy;
mod scanner;
mod seal;
mod values;

pub use policy::Policy;
pub use scanner::Scanner;
pub use seal::{Identities, Locked, MAX_SEALED, Recipients, is_locked, seal, unseal};
