//! Command lines to paste for a target, correct for the directory in which they are printed.

use super::Workspace;
use crate::package::manifest::Target;
use crate::service::{Region, ServiceName, ServicePath, Stage};
use crate::text::command::slsart;

impl Workspace<'_> {
    /// The command line of `words` for a target, without options that the current directory and `slsart.toml` imply.
    pub fn slsart(&self, words: &[&str], target: &Target) -> String {
        let Target { path, service, stage, region } = target;
        let name = self.name_from_here(path, Some(service)).map(|name| ["--service", name]);
        let is_usual = match &self.config.defaults.region {
            Some(usual) => usual == region,
            None => !self.is_in_other_regions(target),
        };
        let in_region = (!is_usual).then_some(["-r", region.as_str()]);
        let options = name.into_iter().chain([["-s", stage.as_str()]]).chain(in_region);
        slsart(words.iter().copied().chain(options.flatten()))
    }

    /// The command line of `words` that packages a service, whose configuration may have another stage or region.
    pub fn package_command(
        &self,
        words: &[&str],
        (path, name): (&ServicePath, Option<&ServiceName>),
        stage: &Stage,
        region: Option<&Region>,
    ) -> String {
        let service = self.name_from_here(path, name).map(|name| ["--service", name]);
        let region = region.map(|region| ["-r", region.as_str()]);
        let options = service.into_iter().chain([["-s", stage.as_str()]]).chain(region);
        slsart(["package"].iter().chain(words).copied().chain(options.flatten()))
    }

    /// The value of `--service` for a service; `None` if it is the current directory's.
    pub(super) fn name_from_here<'n>(
        &self,
        path: &'n ServicePath,
        name: Option<&'n ServiceName>,
    ) -> Option<&'n str> {
        // `--service .` is the current directory's.
        let named = if path.is_root() { name.map(ServiceName::as_str) } else { Some(path.as_str()) };
        named.filter(|_| self.here().as_ref() != Some(path))
    }

    /// Whether the same service and stage were also deployed to another region.
    fn is_in_other_regions(&self, target: &Target) -> bool {
        let known = self.store().histories().targets().unwrap_or_default();
        let same = |known: &&Target| (&known.path, &known.stage) == (&target.path, &target.stage);
        known.iter().filter(same).any(|known| known.region != target.region)
    }
}
