//! How packages stand in git's object store: one pack a recording, versions as differences, in a form that stock git reads,
//! repacks and checks.

use std::fs;

use crate::sandbox::Sandbox;

/// Text that does not compress to nothing, with `mark` in its middle.
fn bundle(mark: usize) -> String {
    let mut lines: Vec<String> = (0..6000_u32)
        .map(|number| format!("var v{number} = {:x};\n", number.wrapping_mul(2_654_435_761)))
        .collect();
    lines[3000] = format!("exports.version = {mark};\n");
    lines.concat()
}

/// A package whose files are large and change a little with each release.
fn release(sandbox: &Sandbox, number: usize) {
    let dist = sandbox.build("dist", "prod");
    fs::write(dist.join("bundle.js"), bundle(number)).unwrap();
    sandbox.change(&format!("Answer {number}"));
    sandbox.slsart("record ../dist -q").succeeded();
}

fn count(sandbox: &Sandbox, key: &str) -> u64 {
    let counts = sandbox.git("count-objects -v");
    let line = counts.lines().find_map(|line| line.strip_prefix(&format!("{key}: "))).unwrap();
    line.parse().unwrap()
}

fn is_sound(sandbox: &Sandbox) {
    sandbox.git("fsck --full --strict --no-dangling");
    sandbox
        .shell("for index in .git/objects/pack/*.idx; do git verify-pack $index || exit; done")
        .succeeded();
    sandbox.slsart("verify --all -q").succeeded();
    assert_eq!(count(sandbox, "garbage"), 0);
}

#[test]
fn a_recording_is_one_pack_and_no_loose_object() {
    let sandbox = Sandbox::new();
    sandbox.git("gc --quiet");
    let dist = sandbox.build("dist", "prod");
    let (loose, packs) = (count(&sandbox, "count"), count(&sandbox, "packs"));
    sandbox.slsart("record ../dist -q").succeeded();
    assert_eq!((count(&sandbox, "count"), count(&sandbox, "packs")), (loose, packs + 1));
    is_sound(&sandbox);
    // The same again writes nothing at all.
    let before = sandbox.fingerprint();
    sandbox.slsart("record ../dist -q").succeeded();
    sandbox.is_as_before(&before);
    drop(dist);
}

#[test]
fn a_release_costs_what_it_changes() {
    let sandbox = Sandbox::new();
    sandbox.git("gc --quiet");
    release(&sandbox, 0);
    let first = count(&sandbox, "size-pack");
    for number in 1..=12 {
        release(&sandbox, number);
        assert!(count(&sandbox, "packs") <= 3, "{}", sandbox.git("count-objects -v"));
    }
    // The sources' own commits are loose objects of git's.
    let grown = count(&sandbox, "size-pack") - first;
    assert!(first > 40, "{first} KiB");
    assert!(grown < first / 2, "12 releases took {grown} KiB, the first {first} KiB");
    is_sound(&sandbox);
    // What git makes of it stays small.
    sandbox.git("gc --quiet --prune=now");
    let packed = count(&sandbox, "size-pack");
    assert!(packed < first * 2, "{packed} KiB after gc, {first} KiB at first");
    is_sound(&sandbox);
}

#[test]
fn a_gc_after_every_release_keeps_the_differences() {
    let sandbox = Sandbox::new();
    release(&sandbox, 0);
    sandbox.git("gc --quiet --prune=now");
    let first = count(&sandbox, "size-pack");
    for number in 1..=8 {
        release(&sandbox, number);
        sandbox.git("gc --quiet --prune=now");
        assert_eq!(count(&sandbox, "packs"), 1);
    }
    let grown = count(&sandbox, "size-pack") - first;
    assert!(grown < first / 2, "8 releases took {grown} KiB, the first {first} KiB");
    is_sound(&sandbox);
}

#[test]
fn chains_of_differences_end() {
    let sandbox = Sandbox::new();
    for number in 0..60 {
        release(&sandbox, number);
    }
    let list = sandbox.shell("git verify-pack -v .git/objects/pack/*.idx").stdout;
    let depth = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words.len() == 7).then(|| words[5].parse::<u32>().unwrap())
    };
    let deepest = list.lines().filter_map(depth).max().unwrap();
    assert!((20..=50).contains(&deepest), "{deepest}");
    is_sound(&sandbox);
}

#[test]
fn packs_of_others_are_left_alone() {
    let sandbox = Sandbox::new();
    release(&sandbox, 0);
    sandbox.git("gc --quiet");
    release(&sandbox, 1);
    let kept = sandbox.git("rev-parse HEAD");
    sandbox.shell("for pack in .git/objects/pack/*.pack; do touch ${pack%.pack}.keep; done").succeeded();
    let packs = || {
        let mut names: Vec<_> = fs::read_dir(sandbox.path(".git/objects/pack"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let before = packs();
    release(&sandbox, 2);
    for name in before {
        assert!(packs().contains(&name), "{name} is gone");
    }
    is_sound(&sandbox);
    sandbox.shell("rm .git/objects/pack/*.keep && git multi-pack-index write").succeeded();
    release(&sandbox, 3);
    sandbox.git("multi-pack-index verify");
    is_sound(&sandbox);
    sandbox.slsart(&format!("extract {kept} -o ../out -q")).succeeded();
}

#[test]
fn a_repository_that_borrows_objects() {
    let sandbox = Sandbox::new();
    release(&sandbox, 0);
    sandbox.shell("git clone --quiet --shared . ../borrower && cd ../borrower && git fetch --quiet origin 'refs/slsart/*:refs/slsart/*' 'refs/notes/slsart:refs/notes/slsart'").succeeded();
    let before = sandbox.fingerprint();
    sandbox.slsart("-C ../borrower verify --all -q").succeeded();
    fs::write(sandbox.beside("dist").join("bundle.js"), bundle(1)).unwrap();
    sandbox.slsart("-C ../borrower record ../dist -q").succeeded();
    sandbox
        .shell("cd ../borrower && git fsck --full --strict --no-dangling && git-slsart verify --all -q")
        .succeeded();
    sandbox.is_as_before(&before);
    // Nothing that the lender has is written again; the bundle is small beside it.
    let own = sandbox.shell("cd ../borrower && git count-objects -v | grep in-pack").stdout;
    let own: u64 = own.trim().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(own < 20, "{own} objects");
}

#[test]
fn a_flipped_byte_anywhere_in_a_pack_is_found_or_harmless() {
    let sandbox = Sandbox::recorded();
    let pack = fs::read_dir(sandbox.path(".git/objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    let pack = pack.into_iter().find(|path| path.extension().is_some_and(|end| end == "pack")).unwrap();
    let whole = fs::read(&pack).unwrap();
    fs::remove_file(&pack).unwrap();
    let mut found = 0;
    for place in (12..whole.len()).step_by(whole.len() / 40) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x55;
        fs::write(&pack, bytes).unwrap();
        let outcome = sandbox.slsart("verify --all -q");
        if outcome.code == 0 {
            // Then every byte that comes out is right: it was the note's history, or the pack's checksum.
            sandbox.slsart("extract HEAD -o ../out -q").succeeded();
            fs::remove_dir_all(sandbox.beside("out")).unwrap();
        } else {
            assert_eq!(outcome.code, 4, "byte {place}: {outcome}");
            found += 1;
        }
    }
    assert!(found > 10, "{found}");
    fs::write(&pack, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(sandbox.slsart("verify --all -q").code, 4);
    // A damaged pack is no base, and is not taken over.
    fs::write(&pack, &whole).unwrap();
    sandbox.slsart("verify --all -q").succeeded();
}

#[test]
fn an_archive_that_lost_an_object_is_written_again() {
    let sandbox = Sandbox::recorded();
    sandbox.unpack();
    let package = sandbox.git("for-each-ref --format=%(refname) refs/slsart/packages");
    let object = sandbox.git(&format!("rev-parse {package}:files/orders.zip/tree/handler.js"));
    fs::remove_file(sandbox.path(&format!(".git/objects/{}/{}", &object[..2], &object[2..]))).unwrap();
    assert_eq!(sandbox.slsart("verify --all -q").code, 4);
    // The same archive in another package, of the same commit.
    let dist = sandbox.build("dist", "prod");
    fs::write(dist.join("extra.json"), "{}").unwrap();
    sandbox.slsart("record ../dist -q").succeeded();
    sandbox.slsart("verify --all -q").succeeded();
    is_sound(&sandbox);
}

#[test]
fn an_unchanged_archive_is_the_same_tree() {
    let sandbox = Sandbox::recorded();
    let dist = sandbox.build("dist", "prod");
    fs::write(dist.join("extra.json"), "{}").unwrap();
    sandbox.slsart("record ../dist -q").succeeded();
    let names = sandbox.git("for-each-ref --format=%(refname) refs/slsart/packages");
    let trees: Vec<String> =
        names.lines().map(|name| sandbox.git(&format!("rev-parse {name}:files/orders.zip"))).collect();
    assert_eq!(trees.len(), 2);
    assert_eq!(trees[0], trees[1]);
    is_sound(&sandbox);
}

#[test]
fn an_object_cut_short_in_a_repository_that_lends_it() {
    let sandbox = Sandbox::recorded();
    sandbox.unpack();
    sandbox.shell("git clone --quiet --shared . ../borrower && cd ../borrower && git fetch --quiet origin 'refs/slsart/*:refs/slsart/*' 'refs/notes/slsart:refs/notes/slsart'").succeeded();
    sandbox.slsart("-C ../borrower verify --all -q").succeeded();
    let package = sandbox.git("for-each-ref --format=%(refname) refs/slsart/packages");
    for path in ["files/orders.zip/recipe", "files/orders.zip", "manifest.toml"] {
        let object = sandbox.git(&format!("rev-parse {package}:{path}"));
        let file = sandbox.path(&format!(".git/objects/{}/{}", &object[..2], &object[2..]));
        let whole = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        assert_eq!(sandbox.slsart("-C ../borrower verify --all -q").code, 4, "{path}");
        fs::write(&file, &whole).unwrap();
    }
    sandbox.slsart("-C ../borrower verify --all -q").succeeded();
}

#[test]
fn a_few_trees_that_name_each_other_a_hundred_million_times() {
    let sandbox = Sandbox::recorded();
    sandbox
        .shell(
            "name=$(git for-each-ref --format='%(refname)' refs/slsart/packages)
             tree=$(printf '100644 blob %s\\tx\\n' $(git rev-parse $name:manifest.toml) | git mktree)
             for level in 1 2 3 4 5 6 7 8; do
               tree=$(for entry in 0 1 2 3 4 5 6 7 8 9; do printf '040000 tree %s\\t%s\\n' $tree $entry; done | git mktree)
             done
             zip=$({ git ls-tree $name:files/orders.zip; printf '040000 tree %s\\tzz\\n' $tree; } | git mktree)
             files=$({ git ls-tree $name:files | grep -v orders.zip; printf '040000 tree %s\\torders.zip\\n' $zip; } | git mktree)
             top=$({ git ls-tree $name | grep -v files; printf '040000 tree %s\\tfiles\\n' $files; } | git mktree)
             git update-ref $name $(git commit-tree $top -p HEAD -m bomb)",
        )
        .succeeded();
    let outcome = sandbox.shell("ulimit -v 2000000; git-slsart verify --all -q");
    assert_eq!(outcome.code, 4, "{outcome}");
    assert!(outcome.stdout.contains("too many entries"), "{outcome}");
    // The next package does not look at it in vain for long, and is recorded.
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox.slsart("verify HEAD -q").succeeded();
}

#[test]
fn what_killed_processes_left_is_swept_away() {
    let sandbox = Sandbox::new();
    release(&sandbox, 0);
    let directory = sandbox.path(".git/objects/pack");
    let pack = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let pack = pack.into_iter().find(|path| path.extension().is_some_and(|end| end == "pack")).unwrap();
    // Killed while it wrote, before it wrote its refs, and while it removed a pack that it had replaced.
    sandbox
        .shell(&format!(
            "cd .git/objects/pack
             echo half > slsart-unfinished-1 && touch -d '1 hour ago' slsart-unfinished-1
             printf 'git slsart: until its refs are written\\n' > pack-{kept}.keep && touch -d '1 hour ago' pack-{kept}.keep
             echo mine > pack-0000000000000000000000000000000000000000.keep
             cp {pack} pack-{gone}.pack && touch ../../slsart/packs/pack-{gone}.pack",
            kept = pack.file_stem().unwrap().to_str().unwrap().trim_start_matches("pack-"),
            gone = "1".repeat(40),
            pack = pack.display(),
        ))
        .succeeded();
    release(&sandbox, 1);
    let left: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| ![".pack", ".idx"].iter().any(|end| name.contains(end)))
        .collect();
    assert_eq!(left, ["pack-0000000000000000000000000000000000000000.keep"]);
    fs::remove_file(directory.join(&left[0])).unwrap();
    is_sound(&sandbox);
}

#[test]
fn a_repository_of_a_group() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    sandbox.git("config core.sharedRepository group");
    sandbox.build("dist", "prod");
    sandbox.shell("umask 077; git-slsart record ../dist -q").succeeded();
    let files = [".git/objects/pack", ".git/slsart/packs"].map(|path| sandbox.path(path));
    for directory in files {
        for path in fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()) {
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o040, 0o040, "{}: {mode:o}", path.display());
        }
    }
    let mode = fs::metadata(sandbox.path(".git/slsart/packs")).unwrap().permissions().mode();
    assert_eq!(mode & 0o070, 0o070, "{mode:o}");
}

#[test]
fn recorders_readers_and_gc_at_once() {
    let sandbox = Sandbox::recorded();
    for number in 0..12 {
        sandbox.change(&format!("Answer {number}"));
    }
    let dist = sandbox.build("dist", "prod");
    fs::write(dist.join("bundle.js"), bundle(0)).unwrap();
    // git's own gc gives up where it finds a ref locked; that is no failure of ours.
    let outcome = sandbox.shell(
        "for recorder in 1 2 3; do
           (cp -r ../dist ../dist-$recorder
            for number in 0 1 2 3 4 5 6 7 8 9 10 11; do
              sed -i \"s/exports.version = .*/exports.version = $recorder$number;/\" ../dist-$recorder/bundle.js
              git-slsart record -q ../dist-$recorder HEAD~$number >/dev/null || echo \"record failed\"
            done) &
         done
         (for round in 1 2 3 4 5 6 7 8; do git gc --quiet --prune=now; done) &
         (for round in 1 2 3 4 5 6 7 8; do git-slsart verify --all -q >/dev/null || echo 'verify failed'; done) &
         wait",
    );
    assert!(!outcome.stdout.contains("failed"), "{outcome}");
    is_sound(&sandbox);
    let listed = sandbox.slsart("log --all -n 1000").succeeded().stdout.lines().count();
    assert_eq!(listed, 1 + 36);
}
