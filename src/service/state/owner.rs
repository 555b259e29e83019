//! Which part of a service an archive of code belongs to.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// All functions that have no archive of their own.
    Service,
    Function(String),
    Layer(String),
    /// A resource of the template that is neither, such as the framework's own helper functions (`custom-resources.zip`).
    Resource(String),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => f.write_str("the service"),
            Self::Function(name) => write!(f, "function `{name}`"),
            Self::Layer(name) => write!(f, "layer `{name}`"),
            Self::Resource(name) => write!(f, "resource `{name}`"),
        }
    }
}
