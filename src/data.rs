//! Rows of a net's inputs and targets, read from tables and arrays or given as values.

use crate::error::Error;
use arenet_runtime::data::{Array, ColumnNames, Dataset, PortSpec, Unlisted, Values};
use arenet_runtime::rows::{AsSlice, Rows, Slice};
use std::collections::HashMap;

/// Rows of a net's inputs and targets, in memory.
///
/// ```
/// let net = arenet::Net::open("models/iris.net")?;
/// let data = net.read_csv("models/iris.csv")?;
/// assert_eq!(data.rows(), 150);
/// # Ok::<(), arenet::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Data(pub(crate) Dataset);

/// The specifications of the inputs and the targets of a net.
pub(crate) type Specs = (Vec<PortSpec>, Vec<PortSpec>);

impl Data {
    /// A data set without rows, for these ports.
    pub(crate) fn empty((inputs, targets): &Specs, columns: ColumnNames) -> Data {
        Data(Dataset { columns, ..Dataset::empty(inputs, targets) })
    }

    /// Adds values of all ports, which must be `rows` rows where that is given.
    pub(crate) fn add<I: Rows + ?Sized, T: Rows + ?Sized>(
        &mut self,
        (inputs, targets): &Specs,
        values: (&I, &T),
        mut rows: Option<usize>,
    ) -> Result<(), Error> {
        append("input", inputs, &mut self.0.inputs, values.0, &mut rows)?;
        append("target", targets, &mut self.0.targets, values.1, &mut rows)?;
        self.0.rows += rows.unwrap_or(0);
        Ok(())
    }

    /// The number of rows.
    ///
    /// ```
    /// let net = arenet::Net::parse("net n { input x: [N, 2]  output y = x |> dense(1) }")?;
    /// let none: &[arenet::Slice] = &[]; // the net has no targets
    /// assert_eq!(net.data(&[[1.0, 2.0], [3.0, 4.0]], none)?.rows(), 2);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn rows(&self) -> usize {
        self.0.rows
    }

    /// A description of the columns of the table that are not used, if there are any.
    ///
    /// ```
    /// let net = arenet::Net::parse("net n { input x: [N, 1]  output y = x |> dense(1) }")?;
    /// let data = net.reader().csv_from(&b"x,note\n1,2\n"[..], "table")?;
    /// assert_eq!(data.unused(), Some("column 1 (note)"));
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn unused(&self) -> Option<&str> {
        self.0.unused.as_deref()
    }

    /// How many rows of a table were left out because they have no target.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let table = &b"x.0,x.1,t\n0,1,1\n1,0,?\n1,1,0\n"[..];
    /// let data = net.reader().csv_from(table, "table")?;
    /// assert_eq!((data.rows(), data.left_out()), (2, 1));
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn left_out(&self) -> u64 {
        self.0.left_out
    }

    /// Of those rows, how many had no value of each target, by its name.
    ///
    /// ```
    /// let net = arenet::Net::open("models/heads.net")?;
    /// let rows = "1,2,3,0.2,setosa\n1,2,3,?,\n1,2,3,?,setosa\n";
    /// let data = net.reader().csv_from(rows.as_bytes(), "table")?;
    /// let lacking: Vec<(&str, u64)> = data.lacking().collect();
    /// assert_eq!(lacking, [("petal_width", 2), ("species", 1)]);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn lacking(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.lacking.iter().map(|(target, rows)| (target.as_str(), *rows))
    }

    /// The words of columns that the net does not know, where its input takes such.
    ///
    /// ```
    /// let text = "net n { input city: i32[N] in [\"Bern\", \"Basel\"] unknown
    ///     output y = city |> embedding(2) |> dense(1) }";
    /// let net = arenet::Net::parse(text)?;
    /// let data = net.reader().csv_from(&b"city\nBern\nbern\n"[..], "table")?;
    /// let unlisted = &data.unlisted()[0];
    /// assert_eq!((&*unlisted.port, unlisted.count, &*unlisted.first), ("city", 1, "bern"));
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn unlisted(&self) -> &[Unlisted] {
        &self.0.unlisted
    }

    /// The bytes of the values that are in files, by
    /// [`Reader::spill_to`](crate::Reader::spill_to).
    ///
    /// ```
    /// let net = arenet::Net::open("models/iris.net")?;
    /// assert_eq!(net.read_csv("models/iris.csv")?.bytes_in_files(), 0);
    /// let reader = net.reader().max_memory(3000).spill_to(std::env::temp_dir());
    /// assert_eq!(reader.csv("models/iris.csv")?.bytes_in_files(), 150 * (4 + 1) * 4);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn bytes_in_files(&self) -> u64 {
        self.0.bytes_in_files()
    }

    /// Says which rows belong together, by a number for each row, to hold rows out by:
    /// [`TrainerBuilder::hold_out_by`](crate::TrainerBuilder::hold_out_by).
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let data = net.data(&[[0.0, 1.0], [1.0, 1.0]], &[1.0, 0.0])?.with_groups(&[7, 8])?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another number of rows.
    pub fn with_groups(mut self, groups: &[u32]) -> Result<Data, Error> {
        if groups.len() != self.0.rows {
            let (rows, given) = (self.0.rows, groups.len());
            return Err(Error::usage(format!("the data has {rows} rows, and {given} groups")));
        }
        let mut numbers = HashMap::new();
        let number = |group: &u32| {
            let next = numbers.len() as u32;
            *numbers.entry(*group).or_insert(next)
        };
        self.0.groups = Some(groups.iter().map(number).collect());
        Ok(self)
    }

    /// The targets, as the values of a step; the data itself is those of the inputs.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let data = net.data(&[[0.0, 1.0]], &[1.0])?;
    /// let loss = net.online_trainer().build()?.step(&data, &data.targets())?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn targets(&self) -> impl Rows + '_ {
        Targets(if self.bytes_in_files() > 0 { &[] } else { &self.0.targets })
    }

    /// What the columns of each port are called.
    #[doc(hidden)]
    pub fn columns(&self) -> &ColumnNames {
        &self.0.columns
    }

    pub(crate) fn set(&self) -> &Dataset {
        &self.0
    }

    pub(crate) fn into_set(self) -> Dataset {
        self.0
    }
}

/// The inputs, to be predicted; those of data in files are none.
impl Rows for Data {
    fn ports(&self) -> usize {
        if self.bytes_in_files() > 0 { 0 } else { self.0.inputs.len() }
    }

    fn slice(&self, port: usize) -> Slice<'_> {
        self.0.inputs[port].as_values()
    }
}

struct Targets<'a>(&'a [Array]);

impl Rows for Targets<'_> {
    fn ports(&self) -> usize {
        self.0.len()
    }

    fn slice(&self, port: usize) -> Slice<'_> {
        self.0[port].as_values()
    }
}

/// Appends values of the inputs or of the targets, which must be `rows` rows where that is given.
fn append(
    side: &str,
    ports: &[PortSpec],
    arrays: &mut [Array],
    values: &(impl Rows + ?Sized),
    rows: &mut Option<usize>,
) -> Result<(), Error> {
    if values.ports() != ports.len() {
        let (takes, given) = (ports.len(), values.ports());
        let text = format!("of {side}s, the net takes {takes}, and the values are of {given}");
        return Err(Error::usage(text));
    }
    for (index, (port, array)) in ports.iter().zip(arrays).enumerate() {
        let slice = values.slice(index);
        let own = slice.len() / port.width.max(1);
        let expected = *rows.get_or_insert(own);
        if expected.checked_mul(port.width) != Some(slice.len()) {
            let (name, width, len) = (&port.name, port.width, slice.len());
            let text =
                format!("`{name}` has {width} values a row, and {expected} rows are not {len}");
            return Err(Error::usage(text));
        }
        match (&mut array.data, slice) {
            (Values::F32(all), Slice::F32(own)) => all.extend_from_slice(own),
            (Values::I32(all), Slice::I32(own)) => all.extend_from_slice(own),
            (Values::F32(_) | Values::File(_), _) => {
                return Err(wrong_type(port, "real numbers, not integers"));
            }
            (Values::I32(_), _) => return Err(wrong_type(port, "integers, not real numbers")),
        }
    }
    Ok(())
}

fn wrong_type(port: &PortSpec, what: &str) -> Error {
    Error::usage(format!("`{}` takes {what}", port.name))
}
