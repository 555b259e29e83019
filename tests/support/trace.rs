//! The lifecycle events of the framework, as the bed's local plugin writes them down.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// An event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Its name, such as `after:deploy:deploy`.
    pub(crate) name: String,
    /// The framework's process.
    pub(crate) process: i32,
    /// The directory that the framework ran in.
    pub(crate) directory: String,
}

/// The events in `file`, in order; none when there is no file.
pub(crate) fn read(file: &Path) -> Vec<Event> {
    let text = fs::read_to_string(file).unwrap_or_default();
    // The last line may be half written.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let event = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        Event {
            name: line["event"].as_str().unwrap().to_owned(),
            process: line["pid"].as_i64().unwrap().try_into().unwrap(),
            directory: line["dir"].as_str().unwrap().to_owned(),
        }
    };
    whole.lines().map(event).collect()
}

/// The same, and empties it.
pub(crate) fn take(file: &Path) -> Vec<Event> {
    let events = read(file);
    fs::write(file, "").unwrap();
    events
}

/// Whether one of `events` has this name.
pub(crate) fn saw(events: &[Event], name: &str) -> bool {
    events.iter().any(|event| event.name == name)
}
