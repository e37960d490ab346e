//! Reads rows of a net's inputs and targets from tables and arrays.

use crate::data::{Data, Specs};
use crate::error::Error;
use arenet_runtime::data::{
    ColumnMap, ColumnNames, Dataset, GroupSpec, NumberStyle, PortSpec, TableSpec, Words, methods,
    read_arrays, read_blocks, read_blocks_of_files, read_csv, read_csv_file, read_csv_files,
};
use arenet_runtime::limits::memory_limit;
use arenet_runtime::weights::WeightsFile;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Settings for reading rows, from [`Net::reader`](crate::Net::reader), or from
/// [`Predictor::reader`](crate::Predictor::reader) for rows without targets.
///
/// ```
/// let net = arenet::Net::open("models/xor.net")?;
/// let table = "a,b,c,t\n0,9,1,1\n1,9,1,0\n";
/// let data = net.reader().columns("x=a,x=c,t=t").csv_from(table.as_bytes(), "table");
/// # let _ = data;
/// # Ok::<(), arenet::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reader {
    inputs: Vec<PortSpec>,
    targets: Vec<PortSpec>,
    names: ColumnNames,
    columns: Option<String>,
    keep: Vec<String>,
    /// The column of the groups of rows, and whether a table may be without it.
    group: Option<(String, bool)>,
    numbers: Option<String>,
    header: Option<bool>,
    targets_optional: bool,
    max_memory: Option<u64>,
    held: u64,
    row_bytes: u64,
    spill: Option<PathBuf>,
    words: Words,
}

impl Reader {
    pub(crate) fn new((inputs, targets): Specs, names: ColumnNames) -> Reader {
        Reader {
            inputs,
            targets,
            names,
            columns: None,
            keep: Vec::new(),
            group: None,
            numbers: None,
            header: None,
            targets_optional: false,
            max_memory: None,
            held: 0,
            row_bytes: 0,
            spill: None,
            words: methods,
        }
    }

    /// To predict: beside a program that takes `held` bytes, and `row_bytes` for each row.
    pub(crate) fn for_predictor(self, names: ColumnNames, held: u64, row_bytes: u64) -> Reader {
        let group = self.group.map(|(column, _)| (column, true));
        Reader { names, held, row_bytes, group, targets_optional: true, ..self }
    }

    /// Chooses columns of a table for some inputs and targets, by place (from 0) or by name.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let reader = net.reader().columns("x=1..3,t=0").header(false);
    /// let data = reader.csv_from(&b"0,1,1\n1,0,1\n"[..], "table")?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn columns(mut self, columns: impl Into<String>) -> Reader {
        self.columns = Some(columns.into());
        self
    }

    /// Keeps columns of a table as they are written, to stand in front of predictions: by name or
    /// by place (from 0), several separated by commas, or `all`. One whose name an output has is
    /// called `table.species` there.
    ///
    /// ```
    /// use arenet::Format;
    /// # let net = arenet::Net::parse("net n { input x: [N, 1]  output y = 2 * x }")?;
    /// # let mut double = net.predictor_from_bytes(b"\x08\0\0\0\0\0\0\0{}      ")?;
    /// let rows = double.reader().keep("id").csv_from(&b"id,x\nA-7,1\nA-8,2\n"[..], "table")?;
    /// let mut text = Vec::new();
    /// double.batches(&rows)?.write(&mut text, Format::Csv).unwrap();
    /// assert_eq!(text, b"id,y\nA-7,2.0\nA-8,4.0\n");
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn keep(mut self, columns: impl Into<String>) -> Reader {
        self.keep.push(columns.into());
        self
    }

    /// The column of a table that says which rows belong together, to hold rows out by; by default
    /// the one that the net's text names: `valid = 0.2, by: patient`.
    ///
    /// ```
    /// use arenet::{Net, Split};
    ///
    /// let net = Net::open("models/xor.net")?;
    /// let table = &b"x.0,x.1,xor,who\n0,1,1,a\n1,1,0,b\n0,0,0,b\n1,0,1,c\n"[..];
    /// let data = net.reader().groups("who").csv_from(table, "table")?;
    /// let by = Split::Column("who".into());
    /// let trainer = net.trainer(data).hold_out(0.3).hold_out_by(by).build()?;
    /// assert_eq!(trainer.rows() + trainer.held_out_rows(), 4);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn groups(mut self, column: impl Into<String>) -> Reader {
        self.group = Some((column.into(), false));
        self
    }

    /// Reads no column but those of inputs and targets.
    #[doc(hidden)]
    #[must_use]
    pub fn without_groups(self) -> Reader {
        Reader { group: None, ..self }
    }

    /// How the numbers of a table are written, by an example: `1234,5`, `1.234,5`, `1 234,5`,
    /// `1'234,5`, `1,234.5`, `1 234.5` or `1'234.5`; by default as in the table that the net was
    /// trained on, and else `1234.5`.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let table = &b"0,0;1,0;1\n1,0;1,0;0\n"[..];
    /// let data = net.reader().numbers("1234,5").csv_from(table, "table")?;
    /// assert_eq!(data.rows(), 2);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn numbers(mut self, example: impl Into<String>) -> Reader {
        self.numbers = Some(example.into());
        self
    }

    /// Whether the first row of a table is a header; by default that is recognised by its fields.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let data = net.reader().header(true).csv("models/xor.csv")?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn header(mut self, header: bool) -> Reader {
        self.header = Some(header);
        self
    }

    /// Reads rows that belong to other rows, such as those to validate on: the columns have the
    /// same names, and both data sets count against the limit of memory.
    ///
    /// ```
    /// let net = arenet::Net::open("models/iris.net")?;
    /// let data = net.read_csv("models/iris.csv")?;
    /// let more = net.reader().beside(&data).csv("models/iris.csv")?;
    /// let trainer = net.trainer(data).validate_on(more).build()?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn beside(mut self, data: &Data) -> Reader {
        self.names = data.0.columns.clone();
        self.held = self.held.saturating_add(data.0.bytes());
        self.group = None;
        self
    }

    /// Reads a table by the names of the columns that weights were trained on, to train them
    /// further.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/iris.net")?;
    /// # let weights = std::env::temp_dir().join("arenet-doc-trained-on.safetensors");
    /// # net.trainer(net.read_csv("models/iris.csv")?).build()?.save(&weights)?;
    /// let data = net.reader().trained_on(&weights)?.csv("models/iris.csv")?;
    /// let mut trainer = net.trainer(data).build()?;
    /// trainer.load(&weights)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A file that cannot be read, or holds no weights.
    pub fn trained_on(mut self, weights: impl AsRef<Path>) -> Result<Reader, Error> {
        self.names = WeightsFile::open(weights)?.columns()?.or(self.names);
        Ok(self)
    }

    /// Requires targets, which a table to predict from need not have.
    #[doc(hidden)]
    #[must_use]
    pub fn with_targets(self) -> Reader {
        Reader { targets_optional: false, ..self }
    }

    /// How errors write the choices of the caller; by default as methods.
    #[doc(hidden)]
    #[must_use]
    pub fn words(mut self, words: Words) -> Reader {
        self.words = words;
        self
    }

    /// The most bytes that may be held; by default 80% of the machine's memory.
    ///
    /// ```
    /// use arenet::{ErrorKind, Net};
    ///
    /// let reader = Net::open("models/iris.net")?.reader().max_memory(100);
    /// assert_eq!(reader.csv("models/iris.csv").unwrap_err().kind(), ErrorKind::Limit);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn max_memory(mut self, bytes: u64) -> Reader {
        self.max_memory = Some(bytes);
        self
    }

    /// Puts values that are more than half of the limit of memory into files in a folder, where
    /// else they are an error. The files have no names, and are gone with the data. A training, or
    /// an evaluation, reads the rows from there ahead of its steps; its bits are the same. The data
    /// is for that alone: as the values of a single step or prediction it has no rows.
    ///
    /// ```
    /// let net = arenet::Net::open("models/digits.net")?;
    /// let reader = net.reader().max_memory(200_000).spill_to(std::env::temp_dir());
    /// let data = reader.csv("models/digits.csv")?;
    /// let mut trainer = net.trainer(data).max_memory(2_000_000).epochs(1).build()?;
    /// trainer.train()?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn spill_to(mut self, folder: impl Into<PathBuf>) -> Reader {
        // The place of a row in the order of an epoch.
        self.row_bytes += 4;
        self.spill = Some(folder.into());
        self
    }

    /// Reads a table in CSV, perhaps packed by gzip or zstd, or the arrays of an npz archive: each
    /// input and target takes the one of its name, or the one that [`Reader::columns`] names.
    ///
    /// ```
    /// let data = arenet::Net::open("models/iris.net")?.reader().csv("models/iris.csv")?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A file that cannot be read, or a value in it that its column cannot have.
    pub fn csv(&self, path: impl AsRef<Path>) -> Result<Data, Error> {
        self.read(|spec| read_csv_file(path, spec))
    }

    /// [`Reader::csv`] of a table in several files: the rows of one after those of another. Where
    /// the first has a header, others may repeat it.
    ///
    /// ```no_run
    /// let net = arenet::Net::open("models/iris.net")?;
    /// let data = net.reader().csv_files(["iris-2024.csv", "iris-2025.csv"])?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there, or files with other columns than the first.
    pub fn csv_files<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Data, Error> {
        let paths: Vec<PathBuf> = paths.into_iter().map(|p| p.as_ref().to_path_buf()).collect();
        self.read(|spec| read_csv_files(&paths, spec))
    }

    /// [`Reader::csv`] from any reader, such as bytes; errors call it `name`.
    ///
    /// ```
    /// let net = arenet::Net::open("models/iris.net")?;
    /// let table = include_bytes!("../models/iris.csv");
    /// let data = net.reader().csv_from(&table[..], "iris.csv")?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn csv_from(&self, reader: impl Read, name: &str) -> Result<Data, Error> {
        self.read(|spec| read_csv(reader, name, spec))
    }

    /// Reads a file for each input and target, npy or IDX, perhaps packed by gzip or zstd.
    ///
    /// ```no_run
    /// let net = arenet::Net::open("mnist.net")?;
    /// let files = [("x", "images-idx3-ubyte.gz"), ("label", "labels-idx1-ubyte.gz")];
    /// let data = net.reader().arrays(files)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// An input or target without a file, a file that cannot be read, or files of different
    /// numbers of rows.
    pub fn arrays<P: AsRef<Path>>(
        &self,
        files: impl IntoIterator<Item = (impl Into<String>, P)>,
    ) -> Result<Data, Error> {
        let files = files.into_iter();
        let files: Vec<(String, PathBuf)> =
            files.map(|(port, path)| (port.into(), path.as_ref().to_path_buf())).collect();
        self.read(|spec| read_arrays(&files, spec))
    }

    /// Reads a table in CSV row by row, and gives each row as soon as it has arrived to `each`,
    /// with its line, until that breaks: for online learning from a stream that may never end.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let mut trainer = net.online_trainer().build()?;
    /// let mut figures = trainer.prequential(100);
    /// let mut failed = None;
    /// let stream = &b"x.0,x.1,t\n0,1,1\n1,1,0\n"[..]; // or a pipe, or a connection
    /// net.reader().each_row(stream, "the stream", |row, _| {
    ///     let tested = trainer.test(&row, &row.targets(), &mut figures);
    ///     match tested.and_then(|()| trainer.step(&row, &row.targets())) {
    ///         Ok(_) => ControlFlow::Continue(()),
    ///         Err(error) => ControlFlow::Break(failed = Some(error)),
    ///     }
    /// })?;
    /// assert!(failed.is_none() && figures.all().rows == 2);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// The result is the number of rows that were left out because they have no target.
    ///
    /// # Errors
    /// As [`Reader::csv`]. The rows before the one with an error have been given.
    pub fn each_row(
        &self,
        input: impl Read,
        name: &str,
        each: impl FnMut(Data, u64) -> ControlFlow<()>,
    ) -> Result<u64, Error> {
        self.each_block(input, name, 1, each)
    }

    /// [`Reader::each_row`] with up to `most` rows at a time, as many as have arrived, and the line
    /// of the last of them: to predict from a stream.
    ///
    /// ```
    /// use arenet::{Form, Format};
    /// use std::ops::ControlFlow;
    /// # let net = arenet::Net::parse("net n { input x: [N, 1]  output y = 2 * x }")?;
    /// # let mut double = net.predictor_from_bytes(b"\x08\0\0\0\0\0\0\0{}      ")?;
    /// let mut writer = double.writer(&Form::new(Format::Jsonl))?;
    /// let stream = &b"x\n1\n2\n"[..]; // or a pipe, or a connection
    /// let mut w = Vec::new();
    /// double.reader().each_block(stream, "the stream", 256, |rows, _| {
    ///     let mut batches = double.batches(&rows).expect("the rows are of the net");
    ///     match batches.write_to(&mut writer, &mut w) {
    ///         Ok(()) => ControlFlow::Continue(()),
    ///         Err(_) => ControlFlow::Break(()), // nobody reads them
    ///     }
    /// })?;
    /// writer.finish(&mut w).unwrap();
    /// assert_eq!(w, b"{\"y\": 2.0}\n{\"y\": 4.0}\n");
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn each_block(
        &self,
        input: impl Read,
        name: &str,
        most: usize,
        mut each: impl FnMut(Data, u64) -> ControlFlow<()>,
    ) -> Result<u64, Error> {
        self.spec(|spec| {
            read_blocks(input, name, spec, most, &mut |rows, line| each(Data(rows), line))
        })
    }

    /// [`Reader::each_block`] of the files of [`Reader::csv_files`].
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// let net = arenet::Net::open("models/iris.net")?;
    /// let mut rows = 0;
    /// net.reader().each_block_of_files(["models/iris.csv"], 64, |block, _| {
    ///     rows += block.rows();
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(rows, 150);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Reader::csv_files`]. The rows before the one with an error have been given.
    pub fn each_block_of_files<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
        most: usize,
        mut each: impl FnMut(Data, u64) -> ControlFlow<()>,
    ) -> Result<u64, Error> {
        let paths: Vec<PathBuf> = paths.into_iter().map(|p| p.as_ref().to_path_buf()).collect();
        self.spec(|spec| {
            read_blocks_of_files(&paths, spec, most, &mut |rows, line| each(Data(rows), line))
        })
    }

    fn read<E: Into<Error>>(
        &self,
        read: impl FnOnce(&TableSpec<'_>) -> Result<Dataset, E>,
    ) -> Result<Data, Error> {
        self.spec(read).map(Data)
    }

    fn spec<T, E: Into<Error>>(
        &self,
        read: impl FnOnce(&TableSpec<'_>) -> Result<T, E>,
    ) -> Result<T, Error> {
        let columns = self.columns.as_deref().map(ColumnMap::parse).transpose();
        let columns = columns.map_err(Error::usage)?;
        let numbers = self.numbers.as_deref().map(NumberStyle::parse).transpose();
        let numbers = numbers.map_err(Error::usage)?.unwrap_or(self.names.numbers());
        let group = self.group.as_ref();
        let group =
            group.map(|(column, is_optional)| GroupSpec { column, is_optional: *is_optional });
        let spec = TableSpec {
            names: Some(&self.names),
            columns: columns.as_ref(),
            keep: &self.keep,
            group,
            numbers,
            header: self.header,
            targets_optional: self.targets_optional,
            max_bytes: self.max_memory.unwrap_or_else(memory_limit),
            held: self.held,
            row_bytes: self.row_bytes,
            spill: self.spill.as_deref(),
            words: self.words,
            ..TableSpec::new(&self.inputs, &self.targets)
        };
        read(&spec).map_err(Into::into)
    }
}
