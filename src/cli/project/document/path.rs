//! Where in a configuration something stands: a path such as `COUNTERSIGN.cookies[1].format`.

use crate::project::document::node::Node;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Field(String),
    Entry(usize),
}

impl Step {
    /// The field of that name.
    pub fn field(name: &str) -> Self {
        Self::Field(name.to_owned())
    }
}

/// `a.b[1]` as `a`, `b`, `[1]`.
pub fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for field in path.split('.') {
        let (name, index) = match field.find('[') {
            Some(at) => field.split_at(at),
            None => (field, ""),
        };
        steps.push(Step::field(name));
        let indices = index
            .split(['[', ']'])
            .filter_map(|index| index.parse().ok());
        steps.extend(indices.map(Step::Entry));
    }
    steps
}

/// Where one step leads, and where that stands, in bytes.
pub fn inside<'n>(node: &'n Node, step: &Step) -> Option<(usize, &'n Node)> {
    match step {
        Step::Field(name) => {
            let field = node.fields().iter().find(|field| field.name == *name)?;
            Some((field.start, &field.node))
        }
        Step::Entry(index) => {
            let entry = node.entries().get(*index)?;
            Some((entry.start, entry))
        }
    }
}

/// What stands at the end of a path.
pub fn follow<'n>(root: &'n Node, path: &[Step]) -> Option<&'n Node> {
    path.iter()
        .try_fold(root, |node, step| Some(inside(node, step)?.1))
}

/// The line that a byte is in, counted from 1.
pub fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    before.filter(|byte| **byte == b'\n').count() + 1
}
