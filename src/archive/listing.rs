//! What a recipe says of its entries, for people's eyes and for finding every content.

use super::MAX_NESTED;
use super::decode::Source;
use super::deflate::Settings;
use super::error::{Error, Result};
use super::place::Place;
use super::recipe::{Kind, Recipe};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name, as it stands in the zip.
    pub name: Vec<u8>,
    /// Where its content is; of a nested archive, the folder of its recipe. None: it has none.
    pub place: Option<Place>,
    /// The zip's method: 0 stored, 8 deflated.
    pub method: u16,
    /// Whether the content is the entry's data as they stand in the zip, though compressed or encrypted.
    pub raw: bool,
    /// Whether it is an archive with a recipe of its own, below the place.
    pub nested: bool,
    pub settings: Option<Settings>,
}

/// The entries of a recipe, in the order of the zip's directory. Every content that decoding opens is at one of the places;
/// of a nested archive, at the place's `recipe` and at those that that recipe lists.
pub fn list(recipe: &[u8]) -> Result<Vec<Listed>> {
    let recipe = Recipe::read(recipe)?;
    let listed = recipe.items.iter().enumerate().map(|(number, item)| {
        Ok(Listed {
            place: item.place(number)?,
            name: item.name.clone(),
            method: item.fields.method,
            raw: item.kind == Kind::Raw,
            nested: item.nested,
            settings: (item.kind == Kind::Deflated).then(|| recipe.settings[item.settings as usize]),
        })
    });
    listed.collect()
}

/// Every place that decoding opens, those of nested archives included, in no order; their recipes are read from the source.
pub fn places(recipe: &[u8], source: &dyn Source) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for entry in list(recipe)? {
        match entry.place {
            Some(place) if entry.nested => {
                let inner = place.inside(&Place::recipe());
                let failed = |source| Error::Content { place: inner.to_string(), source };
                let bytes = source.open(&inner).map_err(failed)?.whole(MAX_NESTED)?;
                let bytes = bytes.ok_or_else(|| Error::Changed { place: inner.to_string() })?;
                let nested = list(&bytes)?.into_iter().filter_map(|entry| entry.place);
                places.extend(nested.map(|nested| place.inside(&nested)));
                places.push(inner);
            }
            place => places.extend(place),
        }
    }
    Ok(places)
}
