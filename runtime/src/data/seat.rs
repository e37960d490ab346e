//! Where the columns of each port are in a table, as far as names and the user decide it.

use super::PortSpec;

/// What is known of a table before its values are read.
pub(super) struct Head<'a> {
    /// The number of columns.
    pub count: usize,
    /// Their names, if it has a header.
    pub header: Option<&'a [String]>,
    /// The columns that are for something else, such as the groups of rows: a port takes them only
    /// where it needs them.
    pub others: Vec<usize>,
    /// Whether a column starts with a number, for those that the advice in an error leaves out.
    pub starts_with_number: &'a dyn Fn(usize) -> bool,
}

/// Where the columns of a port are.
pub(super) enum Seat {
    /// There, in order.
    Found(Vec<usize>),
    /// Some of its names are not in the header.
    Lacking(Vec<Option<usize>>),
    /// Nothing names them.
    Open,
}

/// A port and where its columns are.
pub(super) type Seated<'a> = (&'a PortSpec, Seat);

impl Seat {
    /// The columns known so far.
    pub(super) fn known(&self) -> Vec<usize> {
        match self {
            Seat::Found(columns) => columns.clone(),
            Seat::Lacking(columns) => columns.iter().flatten().copied().collect(),
            Seat::Open => Vec::new(),
        }
    }

    /// How many columns are not known.
    pub(super) fn gaps(&self, port: &PortSpec) -> usize {
        match self {
            Seat::Found(_) => 0,
            Seat::Lacking(columns) => columns.iter().filter(|column| column.is_none()).count(),
            Seat::Open => port.width,
        }
    }

    /// All columns; those that are not known are taken from `free`, in order.
    pub(super) fn fill(
        &self,
        port: &PortSpec,
        free: &mut impl Iterator<Item = usize>,
    ) -> Vec<usize> {
        match self {
            Seat::Found(columns) => columns.clone(),
            Seat::Lacking(columns) => {
                columns.iter().filter_map(|column| column.or_else(|| free.next())).collect()
            }
            Seat::Open => free.take(port.width).collect(),
        }
    }
}
