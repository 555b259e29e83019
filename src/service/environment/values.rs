//! The variables' values: from the framework's own environment, else from a `.env` file.

use std::collections::BTreeMap;

use super::super::names::Stage;
use super::dotenv;

/// Variables with their values, which must stay private: nothing here prints them.
#[derive(Default)]
pub struct Values(BTreeMap<String, String>);

impl Values {
    #[cfg(test)]
    pub(crate) fn of(all: &[(&str, &str)]) -> Self {
        Self(all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The values of those of `names` that have one for `stage`: `variable` reads the framework's environment, `read` the text of a file
    /// in the service's directory.
    ///
    /// `.env.<stage>` replaces `.env`, and neither replaces the environment (`lib/cli/load-dotenv.js`). The file is read even without
    /// `useDotenv` in the configuration: plugins read it too.
    pub fn read(
        names: &[String],
        stage: &Stage,
        variable: impl Fn(&str) -> Option<String>,
        read: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let text = read(&format!(".env.{stage}")).or_else(|| read(".env"));
        let text = text.filter(|text| text.len() <= dotenv::MAX_BYTES).unwrap_or_default();
        let mut file = dotenv::parse(&text);
        let value = |name: &String| Some((name.clone(), variable(name).or_else(|| file.remove(name))?));
        Self(names.iter().filter_map(value).collect())
    }

    /// Every value that the framework and its plugins may have had: those of `names` in the environment, and all of the `.env` files,
    /// including `.env.local` and `.env.<stage>.local`. A name may have several.
    pub fn all(
        names: &[String],
        stage: &Stage,
        variable: impl Fn(&str) -> Option<String>,
        read: impl Fn(&str) -> Option<String>,
    ) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> =
            names.iter().filter_map(|name| Some((name.clone(), variable(name)?))).collect();
        let files = [
            ".env".to_owned(),
            ".env.local".to_owned(),
            format!(".env.{stage}"),
            format!(".env.{stage}.local"),
        ];
        for text in files.iter().filter_map(|file| read(file)).filter(|text| text.len() <= dotenv::MAX_BYTES)
        {
            all.extend(dotenv::parse(&text));
        }
        all
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(files: &[(&str, &str)]) -> Vec<(String, String)> {
        let names = ["A", "B", "C"].map(str::to_owned);
        let variable = |name: &str| (name == "A").then(|| "of the environment".to_owned());
        let read =
            |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        let all = Values::read(&names, &"prod".parse().unwrap(), variable, read);
        all.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn the_environment_wins_and_a_stages_file_stands_in_for_the_other() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let own = || pair("A", "of the environment");
        let common = (".env", "A=1\nB=common\nC=common\nD=none of ours\n");
        assert_eq!(values(&[]), [own()]);
        assert_eq!(values(&[common]), [own(), pair("B", "common"), pair("C", "common")]);
        assert_eq!(values(&[common, (".env.prod", "B=prod\n")]), [own(), pair("B", "prod")]);
    }
}
