//! What has to be known of a file's Thrift (in its compact protocol) before memory is taken for
//! what it says: the head of a page, and whether a schema is what it can be. All else is read by
//! the crate.

/// The types of fields.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const INTEGERS: [u8; 3] = [4, 5, 6];
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LISTS: [u8; 2] = [9, 10];
const MAP: u8 = 11;
const STRUCT: u8 = 12;
/// How deep values may be in one another.
const MOST_DEEP: usize = 32;
/// How deep a column may be in others.
const MOST_NESTED: usize = 64;

/// What comes next of a struct; `None` is what breaks off, or is nothing that can be meant.
pub(super) struct Compact<'a> {
    left: &'a [u8],
}

/// The head of a page: numbers as they are written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PageHead {
    /// What kind of page it is.
    pub kind: i64,
    /// Its bytes, and those that they are packed in.
    pub size: i64,
    pub packed: i64,
    /// The checksum of the packed bytes.
    pub sum: Option<i64>,
    /// Its values, and how they and their levels are encoded.
    pub values: i64,
    pub encoding: i64,
    pub levels_encoding: i64,
    /// The bytes of levels, which are in front of what is packed.
    pub levels: [i64; 2],
    pub nulls: i64,
    pub is_packed: bool,
}

/// The kinds of pages.
pub(super) const DATA: i64 = 0;
pub(super) const DICTIONARY: i64 = 2;
pub(super) const DATA_2: i64 = 3;

/// The head of a page, and its length.
pub(super) fn page_head(bytes: &[u8]) -> Option<(PageHead, usize)> {
    let mut from = Compact { left: bytes };
    let mut head = PageHead { is_packed: true, ..PageHead::default() };
    from.fields(|from, id, kind| {
        match id {
            1 => head.kind = from.integer(kind)?,
            2 => head.size = from.integer(kind)?,
            3 => head.packed = from.integer(kind)?,
            4 => head.sum = Some(from.integer(kind)?),
            5 if kind == STRUCT => from.fields(|from, id, kind| {
                match id {
                    1 => head.values = from.integer(kind)?,
                    2 => head.encoding = from.integer(kind)?,
                    3 => head.levels_encoding = from.integer(kind)?,
                    _ => from.skip(kind, MOST_DEEP)?,
                }
                Some(())
            })?,
            7 if kind == STRUCT => from.fields(|from, id, kind| {
                match id {
                    1 => head.values = from.integer(kind)?,
                    2 => head.encoding = from.integer(kind)?,
                    _ => from.skip(kind, MOST_DEEP)?,
                }
                Some(())
            })?,
            8 if kind == STRUCT => from.fields(|from, id, kind| {
                match id {
                    1 => head.values = from.integer(kind)?,
                    2 => head.nulls = from.integer(kind)?,
                    4 => head.encoding = from.integer(kind)?,
                    5 => head.levels[1] = from.integer(kind)?,
                    6 => head.levels[0] = from.integer(kind)?,
                    7 => head.is_packed = kind == TRUE,
                    _ => from.skip(kind, MOST_DEEP)?,
                }
                Some(())
            })?,
            _ => from.skip(kind, MOST_DEEP)?,
        }
        Some(())
    })?;
    Some((head, bytes.len() - from.left.len()))
}

/// Whether the groups of the schema in a file's metadata have no more members than there are
/// elements, and are not too deep in one another: the crate takes both for granted.
pub(super) fn has_sound_schema(metadata: &[u8]) -> bool {
    let mut members = Vec::new();
    let read = Compact { left: metadata }.fields(|from, id, kind| match (id, kind) {
        (2, 9) => {
            let (count, STRUCT) = from.list()? else { return None };
            for _ in 0..count {
                let mut own = 0;
                from.fields(|from, id, kind| {
                    match id {
                        5 => own = from.integer(kind)?,
                        _ => from.skip(kind, MOST_DEEP)?,
                    }
                    Some(())
                })?;
                members.push(own);
            }
            Some(())
        }
        _ => from.skip(kind, MOST_DEEP),
    });
    let mut open: Vec<i64> = Vec::new();
    for (place, &count) in members.iter().enumerate() {
        if !(0..members.len() as i64).contains(&count) || place > 0 && open.is_empty() {
            return false;
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        open.push(count);
        while open.last() == Some(&0) {
            open.pop();
        }
        if open.len() > MOST_NESTED {
            return false;
        }
    }
    read.is_some() && open.is_empty()
}

/// The number of values that a stream of differences says that it holds.
pub(super) fn differences(bytes: &[u8]) -> Option<u64> {
    let mut from = Compact { left: bytes };
    from.varint()?;
    from.varint()?;
    from.varint()
}

impl Compact<'_> {
    /// Reads a struct: `each` reads the value of a field, whose number and type it is given.
    fn fields(&mut self, mut each: impl FnMut(&mut Self, i64, u8) -> Option<()>) -> Option<()> {
        let mut id: i64 = 0;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            id = match head >> 4 {
                0 => self.zigzag()?,
                more => id.checked_add(more.into())?,
            };
            each(self, id, head & 15)?;
        }
    }

    /// The number of elements of a list, and their type.
    fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { (head >> 4).into() };
        // Each takes a byte at least.
        (count <= self.left.len() as u64).then_some((count, head & 15))
    }

    fn integer(&mut self, kind: u8) -> Option<i64> {
        if INTEGERS.contains(&kind) { self.zigzag() } else { None }
    }

    fn zigzag(&mut self) -> Option<i64> {
        let bits = self.varint()?;
        Some((bits >> 1) as i64 ^ -((bits & 1) as i64))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, left) = self.left.split_first()?;
        self.left = left;
        Some(*first)
    }

    fn pass(&mut self, count: u64) -> Option<()> {
        self.left = self.left.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    /// Passes a value that may be so deep.
    fn skip(&mut self, kind: u8, deep: usize) -> Option<()> {
        let within = deep.checked_sub(1)?;
        match kind {
            TRUE | FALSE => Some(()),
            BYTE => self.pass(1),
            DOUBLE => self.pass(8),
            BINARY => {
                let count = self.varint()?;
                self.pass(count)
            }
            STRUCT => self.fields(|from, _, kind| from.skip(kind, within)),
            MAP => {
                let count = self.varint()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                (0..count).try_for_each(|_| {
                    self.element(kinds >> 4, within)?;
                    self.element(kinds & 15, within)
                })
            }
            _ if INTEGERS.contains(&kind) => self.varint().map(drop),
            _ if LISTS.contains(&kind) => {
                let (count, kind) = self.list()?;
                (0..count).try_for_each(|_| self.element(kind, within))
            }
            _ => None,
        }
    }

    /// Passes an element of a list, where a truth takes a byte.
    fn element(&mut self, kind: u8, deep: usize) -> Option<()> {
        if matches!(kind, TRUE | FALSE) { self.pass(1) } else { self.skip(kind, deep) }
    }
}
