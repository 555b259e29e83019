//! Secrets in packages: finding them, the repository's policy, and encryption. Pure: bytes in, places or bytes out. No secret's value
//! leaves this module, in no report and no error.

mod json;
mod kinds;
mod matcher;
mod policy;
mod scanner;
mod seal;
mod values;

pub use policy::SecretPolicy;
pub use scanner::Scanner;
pub use seal::{Identities, Locked, MAX_SEALED, Recipients, is_locked, seal, unseal};
