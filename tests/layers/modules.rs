//! Reads Rust source and says which file names something that another file defines.
//!
//! Names are resolved as the compiler does: `crate`, `self`, `super`, modules, imports and re-exports. A re-export by itself is no
//! use, since what is named through it belongs to the file that defines it. Test modules and documentation don't count.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The names of a path, as written or from the crate's root.
type Names = Vec<String>;

/// A file that uses another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) line: usize,
    /// What is used, with its module's path.
    pub(crate) name: String,
}

/// What a crate's source says of its modules.
#[derive(Default)]
pub(crate) struct Crate {
    modules: BTreeMap<Names, Module>,
    /// The files that only tests read.
    pub(crate) tests: BTreeSet<String>,
}

#[derive(Default)]
struct Module {
    file: String,
    imports: BTreeMap<String, Vec<Import>>,
    globs: Vec<(Names, usize)>,
    paths: Vec<(Names, usize)>,
    /// Every identifier outside of imports.
    words: BTreeSet<String>,
}

struct Import {
    path: Names,
    line: usize,
    re_export: bool,
}

#[derive(Debug)]
enum Target {
    Module(Names),
    Item(Names, String),
}

impl Crate {
    /// Reads the crate whose root is `lib.rs`, and `main.rs` beside it.
    ///
    /// # Arguments
    /// `files`: path below `src/` → text.
    pub(crate) fn read(files: &BTreeMap<String, String>) -> Self {
        let mut this = Self::default();
        this.add_file(files, &[], "lib.rs");
        if files.contains_key("main.rs") {
            this.add_file(files, &["main".to_owned()], "main.rs");
        }
        this
    }

    /// The files that were read.
    pub(crate) fn files(&self) -> BTreeSet<String> {
        self.modules.values().map(|module| module.file.clone()).collect()
    }

    /// Every use of one file by another.
    pub(crate) fn uses(&self) -> BTreeSet<Use> {
        let mut uses = BTreeSet::new();
        for (at, module) in &self.modules {
            let mut add = |path: &Names, line: usize| {
                for target in self.resolve(at, path, 0) {
                    let Target::Item(of, item) = target else { continue };
                    let to = &self.modules[&of].file;
                    if *to != module.file {
                        let name = [&of[..], &[item]].concat().join("::");
                        uses.insert(Use { from: module.file.clone(), to: to.clone(), line, name });
                    }
                }
            };
            for (name, imports) in &module.imports {
                for import in imports.iter().filter(|it| !it.re_export || module.words.contains(name)) {
                    add(&import.path, import.line);
                }
            }
            for (path, line) in &module.paths {
                add(path, *line);
            }
            for (path, line) in &module.globs {
                add(&[&path[..], &["*".to_owned()]].concat(), *line);
            }
        }
        uses
    }

    /// What `path` leads to, as written in the module `at`; nothing where it leads out of the crate.
    fn resolve(&self, at: &Names, path: &[String], depth: usize) -> Vec<Target> {
        let Some(first) = path.first() else { return vec![Target::Module(at.clone())] };
        let rest = &path[1..];
        match first.as_str() {
            "crate" | "git_slsart" => self.descend(&vec![], rest, depth),
            "self" => self.descend(at, rest, depth),
            "super" => self.descend(&at[..at.len().saturating_sub(1)].to_vec(), rest, depth),
            _ => {
                let here = &self.modules[at];
                let known = self.modules.contains_key(&[&at[..], std::slice::from_ref(first)].concat())
                    || here.imports.contains_key(first);
                if known { self.descend(at, path, depth) } else { vec![] }
            }
        }
    }

    /// What `path` is in the module `at`.
    fn descend(&self, at: &Names, path: &[String], depth: usize) -> Vec<Target> {
        let Some(first) = path.first() else { return vec![Target::Module(at.clone())] };
        if first == "super" || first == "self" {
            return self.resolve(at, path, depth);
        }
        let child = [&at[..], std::slice::from_ref(first)].concat();
        if self.modules.contains_key(&child) {
            return self.descend(&child, &path[1..], depth);
        }
        let imports = self.modules[at].imports.get(first);
        let Some(imports) = imports.filter(|_| depth < 20) else {
            return vec![Target::Item(at.clone(), first.clone())];
        };
        // A name that is imported under itself, `use a::a`, comes from further up.
        let found = imports.iter().filter(|import| import.path[0] != *first || import.path.len() > 1);
        let found = found.flat_map(|import| self.resolve(at, &import.path, depth + 1));
        found
            .flat_map(|target| match target {
                Target::Module(module) => self.descend(&module, &path[1..], depth + 1),
                item @ Target::Item(..) => vec![item],
            })
            .collect()
    }

    fn add_file(&mut self, files: &BTreeMap<String, String>, at: &[String], file: &str) {
        let tokens = files[file].parse().unwrap_or_else(|error| panic!("src/{file}: {error}"));
        self.add_module(files, at, file, tokens);
    }

    fn add_module(
        &mut self,
        files: &BTreeMap<String, String>,
        at: &[String],
        file: &str,
        tokens: TokenStream,
    ) {
        let mut reader = Reader::default();
        reader.read(tokens);
        file.clone_into(&mut reader.module.file);
        self.modules.insert(at.to_vec(), reader.module);
        for (name, content) in reader.children {
            let child = [at, &[name]].concat();
            match content {
                Some(tokens) => self.add_module(files, &child, file, tokens),
                None => self.add_file(files, &child, &file_of(files, &child)),
            }
        }
        for name in reader.test_children {
            self.tests.insert(file_of(files, &[at, &[name]].concat()));
        }
    }
}

fn file_of(files: &BTreeMap<String, String>, module: &[String]) -> String {
    let path = module.join("/");
    let mut names = vec![format!("{path}.rs"), format!("{path}/mod.rs")];
    if let [directory @ .., _, name] = module {
        // A module of tests may say where its file is: `#[path = "tests.rs"]` beside the file that it belongs to.
        names.push(format!("{}/{name}.rs", directory.join("/")));
    }
    let found = names.into_iter().find(|name| files.contains_key(name));
    found.unwrap_or_else(|| panic!("no file for {module:?}"))
}

/// Reads one module.
#[derive(Default)]
struct Reader {
    module: Module,
    /// The modules that are declared in it; those that are written in it with what they hold.
    children: Vec<(String, Option<TokenStream>)>,
    test_children: Vec<String>,
}

impl Reader {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        let mut visible = false;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    at = self.attribute(&tokens, at);
                    continue;
                }
                TokenTree::Group(group) => {
                    self.read(group.stream());
                    // `pub(crate)` is still a visibility.
                    visible &= group.delimiter() == Delimiter::Parenthesis;
                    at += 1;
                    continue;
                }
                TokenTree::Ident(word) if word == "pub" => {
                    visible = true;
                    at += 1;
                    continue;
                }
                TokenTree::Ident(word) if word == "mod" && name(&tokens, at + 1).is_some() => {
                    self.children.push((name(&tokens, at + 1).unwrap(), body(&tokens, at + 2)));
                    at += 3;
                }
                TokenTree::Ident(word) if word == "use" && !is_punct(&tokens, at + 1, '<') => {
                    let end = end_of_item(&tokens, at);
                    self.import(&tokens[at + 1..end - 1], &[], visible);
                    at = end;
                }
                TokenTree::Ident(_) => at = self.path(&tokens, at),
                _ => at += 1,
            }
            visible = false;
        }
    }

    /// Reads an attribute, and leaves out the item after it where that is only for tests or documentation.
    ///
    /// # Returns
    /// Where to go on.
    fn attribute(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let inner = usize::from(is_punct(tokens, at + 1, '!'));
        let Some(TokenTree::Group(group)) = tokens.get(at + 1 + inner) else { return at + 1 };
        let after = at + 2 + inner;
        let text = group.stream().to_string().replace(' ', "");
        let tests = ["cfg(test)", "cfg(all(test,", "cfg(doc)"];
        if tests.iter().any(|condition| text.starts_with(condition)) {
            let end = end_of_item(tokens, after);
            self.test_children.extend((after..end).find_map(|at| {
                let declared = matches!(&tokens[at], TokenTree::Ident(word) if word == "mod");
                name(tokens, at + 1).filter(|_| declared && is_punct(tokens, at + 2, ';'))
            }));
            return end;
        }
        if !text.starts_with("doc") {
            self.read(group.stream());
            self.read_strings(group.stream());
        }
        after
    }

    /// Reads paths that an attribute has in strings, such as serde's `with`.
    fn read_strings(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.read_strings(group.stream()),
                TokenTree::Literal(literal) => {
                    let path = literal.to_string();
                    if let (true, Ok(tokens)) = (path.contains("::"), path.trim_matches('"').parse()) {
                        self.read(tokens);
                    }
                }
                _ => {}
            }
        }
    }

    /// Reads a tree of imports, which continues the path `before`.
    fn import(&mut self, tokens: &[TokenTree], before: &[String], re_export: bool) {
        for tree in tokens.split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',')) {
            let mut path = before.to_vec();
            let mut renamed = None;
            for (at, token) in tree.iter().enumerate() {
                let line = token.span().start().line;
                match token {
                    TokenTree::Ident(word) if word == "as" => {
                        renamed = Some(name(tree, at + 1).unwrap());
                        break;
                    }
                    // `a::{self, …}` is `a` itself.
                    TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
                    TokenTree::Ident(word) => path.push(word.to_string()),
                    TokenTree::Punct(star) if star.as_char() == '*' => {
                        self.module.globs.push((std::mem::take(&mut path), line));
                    }
                    TokenTree::Group(group) => {
                        let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                        self.import(&inside, &std::mem::take(&mut path), re_export);
                    }
                    _ => {}
                }
            }
            let (Some(last), Some(first)) = (path.last().cloned(), tree.first()) else { continue };
            let import = Import { path, line: first.span().start().line, re_export };
            self.module.imports.entry(renamed.unwrap_or(last)).or_default().push(import);
        }
    }

    /// Reads a path of one name or more.
    ///
    /// # Returns
    /// Where to go on.
    fn path(&mut self, tokens: &[TokenTree], start: usize) -> usize {
        let mut path = vec![name(tokens, start).unwrap()];
        let mut at = start + 1;
        while is_separator(tokens, at) {
            let Some(next) = name(tokens, at + 2) else { break };
            path.push(next);
            at += 3;
        }
        let before = |back: usize, char| start >= back && is_punct(tokens, start - back, char);
        // A field or method, or what follows `<T>::`.
        let continues = (before(1, '.') && !before(2, '.')) || (before(1, ':') && before(2, ':'));
        if !continues {
            self.module.words.insert(path[0].clone());
            if path.len() > 1 {
                self.module.paths.push((path, tokens[start].span().start().line));
            }
        }
        at
    }
}

fn name(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at) {
        Some(TokenTree::Ident(word)) => Some(word.to_string()),
        _ => None,
    }
}

fn body(tokens: &[TokenTree], at: usize) -> Option<TokenStream> {
    match tokens.get(at) {
        Some(TokenTree::Group(group)) => Some(group.stream()),
        _ => None,
    }
}

fn is_punct(tokens: &[TokenTree], at: usize, char: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let joint = matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.spacing() == Spacing::Joint);
    joint && is_punct(tokens, at, ':') && is_punct(tokens, at + 1, ':')
}

/// What comes after the item that begins at `start`.
fn end_of_item(tokens: &[TokenTree], start: usize) -> usize {
    let import =
        (start..start + 5).any(|at| matches!(tokens.get(at), Some(TokenTree::Ident(word)) if word == "use"));
    let ends = |token: &TokenTree| match token {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !import,
        _ => false,
    };
    tokens[start..].iter().position(ends).map_or(tokens.len(), |at| start + at + 1)
}
