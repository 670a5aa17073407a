//! Lists and maps of the wire that stop at their limit instead of growing past it: many small items would otherwise take
//! many times their frame in memory. The limits themselves are in `limits`.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::limits::{FACTS, FEATURES, FOLLOW_UPS, KINDS, Limit, STEPS, UNITS};

/// For `deserialize_with`, which takes no argument: a list or map of at most `LIMIT` items.
macro_rules! bounded {
    ($($name:ident = $visitor:ident at $limit:ident by $method:ident -> $out:ty;)+) => {
        $(pub(crate) fn $name<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<$out, D::Error> {
            deserializer.$method($visitor($limit, PhantomData))
        })+
    };
}

bounded! {
    kinds = List at KINDS by deserialize_seq -> Vec<T>;
    features = List at FEATURES by deserialize_seq -> Vec<T>;
    follow_ups = List at FOLLOW_UPS by deserialize_seq -> Vec<T>;
    facts = List at FACTS by deserialize_seq -> Vec<T>;
    amounts = Map at UNITS by deserialize_map -> BTreeMap<String, T>;
    steps = Map at STEPS by deserialize_map -> BTreeMap<String, T>;
    facts_told = Map at FACTS by deserialize_map -> BTreeMap<String, T>;
}

struct List<T>(Limit, PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of at most {} items", self.0.max)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
            self.0.check(list.len()).map_err(A::Error::custom)?;
        }
        Ok(list)
    }
}

struct Map<T>(Limit, PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Map<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a map of at most {} names", self.0.max)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((name, value)) = entries.next_entry()? {
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
            self.0.check(map.len()).map_err(A::Error::custom)?;
        }
        Ok(map)
    }
}
