//! A zip of a package as a tree of git objects, and back: its recipe, and the contents of its entries under their own paths.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::encryption;
use super::secret_recorder::SecretRecorder;
use super::writer::Writer;
use crate::archive::{
    Bytes, Content, Error as ArchiveError, Failure, Opened, Place, Sink, Source, decode, encode, list,
};
use crate::error::{ANOTHER_COPY, Error, Result};
use crate::git::pack::Opener;
use crate::git::{Batch, Blob, MODE_FILE, MODE_TREE, Oid, Readers, Repository};
use crate::process::interrupt;
use crate::progress::Progress;
use crate::secrets::{Identities, MAX_SEALED, unseal};

/// Most bytes of a recipe: of a zip with tens of thousands of unforeseeable entries.
const MAX_RECIPE_BYTES: u64 = 64 * 1024 * 1024;

/// Most objects of an archive: its own most entries, and those of archives in it.
const MAX_PARTS: usize = 400_000;
const MAX_PATH_BYTES: usize = 64 * 1024 * 1024;

/// An archive's objects, by path relative to the archive.
pub(in crate::store) type Parts = Vec<(String, Oid)>;

/// Takes an archive apart. `earlier`: an earlier version of the archive's tree. `whole`: reads the same file meanwhile.
///
/// # Returns
///
/// Its objects, and the result of `whole`; no objects if the file is no archive, or can't be reproduced.
pub(in crate::store) fn write<T: Send>(
    writer: Writer<'_>,
    path: &str,
    file: &dyn Bytes,
    earlier: Option<Oid>,
    whole: impl FnOnce() -> T + Send,
) -> Result<(Option<Parts>, T)> {
    let Writer { repository, batch, progress, recorder } = writer;
    // An earlier version that can't be read saves no space, and does no harm.
    let earlier = earlier.and_then(|tree| parts(repository, tree).ok()).unwrap_or_default();
    let readers = repository.readers();
    let sink = Blobs { batch, path, earlier: &earlier, parts: Mutex::default(), progress, recorder, readers };
    let (recipe, whole) = thread::scope(|scope| {
        let whole = scope.spawn(whole);
        let recipe = encode(file, &sink, threads(), &|| interrupt::check().is_err());
        (recipe, whole.join())
    });
    let whole = whole.map_err(|_| Error::bug("the thread that hashes a file ended"))?;
    let recipe = recipe.map_err(|error| match error {
        ArchiveError::Io(error) if error.get_ref().is_none_or(|inner| !inner.is::<Error>()) => {
            Error::refused("an archive can't be read").because(error)
        }
        error => from_archive(error),
    });
    let Some(recipe) = recipe? else { return Ok((None, whole)) };
    let name = Place::recipe().as_str().to_owned();
    let id = batch.blob(&recipe, earlier.get(&name).copied())?;
    let mut parts = sink.parts.into_inner().unwrap_or_else(PoisonError::into_inner);
    parts.push((name, id));
    Ok((Some(parts), whole))
}

/// The size in bytes of the largest object that the file at `path`, of `size` bytes, becomes in git: its largest entry if it is an
/// archive.
pub fn largest_object(path: &Path, size: u64) -> u64 {
    let entries = || {
        let mut archive = zip::ZipArchive::new(io::BufReader::new(File::open(path).ok()?)).ok()?;
        (0..archive.len()).map(|number| Some(archive.by_index_raw(number).ok()?.size())).max().flatten()
    };
    entries().unwrap_or(size)
}

/// Reproduces the archive of this tree, and writes it to `out`; at most `size` bytes.
pub(in crate::store) fn read(
    repository: &Repository,
    tree: Oid,
    size: u64,
    keys: &dyn Fn() -> Identities,
    out: &mut dyn Write,
) -> Result<()> {
    let parts = parts(repository, tree)?;
    let recipe = recipe(repository, &parts)?;
    let sealed = parts.keys().any(|path| path.starts_with("age/"));
    let identities = if sealed { keys() } else { Identities::default() };
    let source = Objects { readers: repository.readers(), parts: &parts, identities };
    decode(&recipe, &source, out, size, threads()).map_err(from_archive)
}

fn recipe(repository: &Repository, parts: &HashMap<String, Oid>) -> Result<Vec<u8>> {
    let missing = || Error::integrity("an archive's recipe is missing").hint(ANOTHER_COPY);
    let recipe = parts.get(Place::recipe().as_str()).ok_or_else(missing)?;
    repository.read_blob(*recipe, MAX_RECIPE_BYTES)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct ArchivedFile {
    /// The object of its content; of a nested archive, its folder's.
    pub(in crate::store) id: Oid,
    /// Whether the object is the content itself, not raw zip data or a nested archive.
    pub(in crate::store) plain: bool,
    pub(in crate::store) sealed: bool,
}

/// The files inside the archive of this tree, by name.
pub(in crate::store) fn files(repository: &Repository, tree: Oid) -> Result<BTreeMap<String, ArchivedFile>> {
    let parts = parts(repository, tree)?;
    let listed = list(&recipe(repository, &parts)?).map_err(from_archive)?;
    let mut files = BTreeMap::new();
    for entry in listed {
        let Some(place) = entry.place else { continue };
        let sealed = parts.get(&encryption::place(place.as_str()));
        let id = match parts.get(place.as_str()).or(sealed) {
            Some(id) => Some(*id),
            None => repository.find_path(tree, place.as_str())?.map(|folder| folder.id),
        };
        let missing = || Error::integrity(format!("'{place}' is missing from an archive")).hint(ANOTHER_COPY);
        let part = ArchivedFile {
            id: id.ok_or_else(missing)?,
            plain: !entry.raw && !entry.nested,
            sealed: sealed.is_some(),
        };
        files.insert(String::from_utf8_lossy(&entry.name).into_owned(), part);
    }
    Ok(files)
}

pub(in crate::store) fn is_here(repository: &Repository, tree: Oid) -> bool {
    parts(repository, tree).is_ok_and(|parts| {
        parts.contains_key(Place::recipe().as_str()) && parts.values().all(|id| repository.has(*id))
    })
}

/// All objects below `tree` by path. More than an archive can have is an error: a few objects can name each other a million times.
fn parts(repository: &Repository, tree: Oid) -> Result<HashMap<String, Oid>> {
    let mut parts = HashMap::new();
    let mut bytes = 0;
    let mut pending = vec![(String::new(), tree)];
    while let Some((prefix, tree)) = pending.pop() {
        for entry in repository.read_tree(tree)? {
            // A place is always UTF-8.
            let Ok(name) = String::from_utf8(entry.name) else { continue };
            let path = format!("{prefix}{name}");
            bytes += path.len();
            if parts.len() + pending.len() > MAX_PARTS || bytes > MAX_PATH_BYTES {
                return Err(Error::integrity("an archive has too many entries").hint(ANOTHER_COPY));
            }
            match entry.mode {
                MODE_TREE => pending.push((path + "/", entry.id)),
                MODE_FILE => drop(parts.insert(path, entry.id)),
                _ => {}
            }
        }
    }
    Ok(parts)
}

fn threads() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

struct Blobs<'a> {
    batch: &'a Batch,
    path: &'a str,
    earlier: &'a HashMap<String, Oid>,
    parts: Mutex<Parts>,
    progress: &'a dyn Progress,
    recorder: Option<&'a SecretRecorder<'a>>,
    readers: Readers,
}

impl Blobs<'_> {
    /// Encrypts a content, if secrets in it need that.
    fn seal(
        &self,
        recorder: &SecretRecorder<'_>,
        place: &Place,
        content: &Content<'_>,
    ) -> Result<Option<Oid>, Failure> {
        if !recorder.content(self.path, place, content)? {
            return Ok(None);
        }
        let read;
        let plain = match content.bytes() {
            Some(bytes) => bytes,
            None if content.size() > MAX_SEALED => return Err(encryption::too_large(place.as_str()).into()),
            None => {
                let mut bytes = Vec::new();
                content.reader()?.read_to_end(&mut bytes)?;
                read = bytes;
                &read
            }
        };
        Ok(Some(recorder.sealer().write(self.batch, plain, |id| self.readers.open(id).is_ok())?))
    }
}

impl Sink for Blobs<'_> {
    fn put(&self, place: &Place, content: &Content<'_>) -> std::result::Result<(), Failure> {
        let deflated = content.deflated();
        let sealed = self.recorder.map_or(Ok(None), |recorder| self.seal(recorder, place, content))?;
        if let Some(id) = sealed {
            self.progress.advance(deflated.map_or(content.size(), |deflated| deflated.size()));
            self.parts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((encryption::place(place.as_str()), id));
            return Ok(());
        }
        let earlier = self.earlier.get(place.as_str()).copied();
        let id = match (content.bytes(), deflated.map(|deflated| deflated.bytes())) {
            (Some(bytes), Some(Some(deflated))) => self.batch.blob_deflated(bytes, deflated, earlier)?,
            (Some(bytes), _) => self.batch.blob(bytes, earlier)?,
            (None, _) => {
                let open = || content.reader();
                let open_deflated = || -> io::Result<Box<dyn io::Read + '_>> {
                    deflated.map(|deflated| deflated.reader()).ok_or_else(|| io::ErrorKind::NotFound.into())
                };
                let stream = deflated.is_some().then_some(&open_deflated as Opener<'_>);
                self.batch.blob_stream(content.size(), &open, stream)?
            }
        };
        self.progress.advance(deflated.map_or(content.size(), |deflated| deflated.size()));
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).push((place.as_str().to_owned(), id));
        Ok(())
    }
}

struct Objects<'a> {
    readers: Readers,
    parts: &'a HashMap<String, Oid>,
    identities: Identities,
}

impl Objects<'_> {
    fn unseal(&self, id: Oid) -> Result<Vec<u8>> {
        let sealed = match self.readers.open(id)? {
            Blob::Bytes(bytes) => bytes,
            Blob::Stream { size, .. } if size > 2 * MAX_SEALED => {
                return Err(
                    Error::integrity("the encrypted part of an archive is too large").hint(ANOTHER_COPY)
                );
            }
            Blob::Stream { mut reader, .. } => {
                let mut bytes = Vec::new();
                reader.read_to_end(&mut bytes).map_err(|error| from_archive(ArchiveError::Io(error)))?;
                bytes
            }
        };
        unseal(&sealed, &self.identities, MAX_SEALED)
    }
}

impl Source for Objects<'_> {
    fn open(&self, place: &Place) -> std::result::Result<Opened<'_>, Failure> {
        if let Some(id) = self.parts.get(&encryption::place(place.as_str())) {
            return Ok(Opened::Bytes(Cow::Owned(self.unseal(*id)?)));
        }
        let id = self.parts.get(place.as_str()).ok_or_else(|| {
            Error::integrity(format!("'{place}' is missing from an archive")).hint(ANOTHER_COPY)
        })?;
        Ok(match self.readers.open(*id)? {
            Blob::Bytes(bytes) => Opened::Bytes(Cow::Owned(bytes)),
            Blob::Stream { size, reader } => Opened::Reader { size, reader },
        })
    }
}

fn from_archive(error: ArchiveError) -> Error {
    match error {
        ArchiveError::Cancelled => Error::interrupted(),
        // An error of the sink or source itself, unchanged.
        ArchiveError::Content { place, source } => match source.downcast::<Error>() {
            Ok(error) => *error,
            Err(source) => Error::integrity(format!("'{place}' can't be read")).because(source),
        },
        ArchiveError::Io(error) => match error.downcast::<Error>() {
            Ok(error) => error,
            // Errors of writing are separate: this one is from reading.
            Err(error) => {
                Error::integrity("an archive's content can't be read").hint(ANOTHER_COPY).because(error)
            }
        },
        error => Error::integrity("an archive can't be rebuilt").hint(ANOTHER_COPY).because(error),
    }
}
