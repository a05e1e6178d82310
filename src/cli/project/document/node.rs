//! What a configuration says, whether it is written in TOML or in JSONC: values, and where each stands.

use serde_json::{Map, Number, Value as Json};

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub value: NodeValue,
    /// Where it begins in the file, in bytes; nothing in the file leads to one that is about to be written.
    pub start: usize,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    /// A date without quotes, which only TOML has.
    Date(String),
    List(Vec<Node>),
    Table(Vec<Field>),
}

/// A field of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: String,
    /// Where its name begins, or the header of its table, in bytes.
    pub start: usize,
    pub node: Node,
}

impl Node {
    /// A text that is to be written.
    pub fn text(text: &str) -> Self {
        NodeValue::Text(text.to_owned()).into()
    }

    /// A table that is to be written.
    pub fn table<'n>(fields: impl IntoIterator<Item = (&'n str, Node)>) -> Self {
        let field = |(name, node): (&str, Node)| Field {
            name: name.to_owned(),
            start: 0,
            node,
        };
        NodeValue::Table(fields.into_iter().map(field).collect()).into()
    }

    /// A value of JSON that is to be written.
    pub fn of(json: &Json) -> Self {
        match json {
            Json::Null => NodeValue::Null.into(),
            Json::Bool(flag) => NodeValue::Boolean(*flag).into(),
            Json::Number(number) => NodeValue::Number(number.clone()).into(),
            Json::String(text) => Self::text(text),
            Json::Array(list) => NodeValue::List(list.iter().map(Self::of).collect()).into(),
            Json::Object(fields) => {
                let fields = fields.iter();
                Self::table(fields.map(|(name, json)| (name.as_str(), Self::of(json))))
            }
        }
    }

    /// A field of a table.
    pub fn get(&self, name: &str) -> Option<&Node> {
        let field = self.fields().iter().find(|field| field.name == name)?;
        Some(&field.node)
    }

    /// The fields of a table; none of anything else.
    pub fn fields(&self) -> &[Field] {
        match &self.value {
            NodeValue::Table(fields) => fields,
            _ => &[],
        }
    }

    /// The entries of a list; none of anything else.
    pub fn entries(&self) -> &[Node] {
        match &self.value {
            NodeValue::List(entries) => entries,
            _ => &[],
        }
    }

    /// Whether it is a table.
    pub fn is_table(&self) -> bool {
        matches!(self.value, NodeValue::Table(_))
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self.value, NodeValue::List(_))
    }

    /// A text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            NodeValue::Boolean(flag) => Some(flag),
            _ => None,
        }
    }

    /// Sets a field of a table; a new one comes last.
    pub fn set(&mut self, name: &str, node: Node) {
        let NodeValue::Table(fields) = &mut self.value else {
            return;
        };
        match fields.iter_mut().find(|field| field.name == name) {
            Some(field) => field.node = node,
            None => fields.push(Field {
                name: name.to_owned(),
                start: 0,
                node,
            }),
        }
    }

    /// Takes a field out of a table.
    pub fn remove(&mut self, name: &str) {
        if let NodeValue::Table(fields) = &mut self.value {
            fields.retain(|field| field.name != name);
        }
    }

    /// The same as wrangler sends it to the Worker. A date becomes its text, so that all else can be checked.
    pub fn json(&self) -> Json {
        match &self.value {
            NodeValue::Null => Json::Null,
            NodeValue::Boolean(flag) => Json::from(*flag),
            NodeValue::Number(number) => Json::Number(number.clone()),
            NodeValue::Text(text) | NodeValue::Date(text) => Json::from(text.as_str()),
            NodeValue::List(entries) => Json::Array(entries.iter().map(Node::json).collect()),
            NodeValue::Table(fields) => {
                let fields = fields.iter();
                let fields = fields.map(|field| (field.name.clone(), field.node.json()));
                Json::Object(fields.collect::<Map<_, _>>())
            }
        }
    }
}

impl From<NodeValue> for Node {
    fn from(value: NodeValue) -> Self {
        Self { value, start: 0 }
    }
}

/// A number as JavaScript has it, in which wrangler reads both: 600.0 is 600. One that is not finite is null, as
/// in JSON.
pub fn number(number: f64) -> NodeValue {
    if number.fract() == 0.0 && number.abs() <= LARGEST_INTEGER {
        // no larger than 2^53, so that nothing is lost
        return NodeValue::Number(Number::from(number as i64));
    }
    Number::from_f64(number).map_or(NodeValue::Null, NodeValue::Number)
}

/// Up to here each whole number is its own in JavaScript: 2^53 - 1.
pub const LARGEST_INTEGER: f64 = 9_007_199_254_740_991.0;
