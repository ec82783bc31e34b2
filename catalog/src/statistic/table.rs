//! Reading a table by rows and by columns with positioned reads: opening one costs the footer, not the file.

use super::{COLUMNS, COLUMNS_KEY, ZonalStatistic, class_of};
use crate::object::{ObjectFile, ReadAt};
use crate::{Error, Result};
use arrow_ipc::reader::read_footer_length;
use arrow_ipc::{Footer, root_as_footer, root_as_message};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Longest footer or batch header that is read: a table has some dozen columns.
const LONGEST_HEADER: usize = 1 << 20;

/// Rows read at once where a whole column is wanted: some hundred kB.
const ROWS_AT_ONCE: usize = 4096;

/// Where a buffer lies in the file.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    bytes: u64,
}

/// A column of numbers, in memory once it was asked for as a whole.
#[derive(Debug)]
struct Column {
    name: String,
    values: OnceLock<Vec<f64>>,
}

/// Statistics of the zones of one layer against one weekly item, a row a feature in the order of `fid`.
///
/// The file is an Arrow IPC file with the columns `fid`, `code`, `by_code` (the rows in the order of their codes), `shape` (a
/// mark of what each row was computed of; not in all tables) and
/// `numbers`, a list of the same length in every row: the fields of [`ZonalStatistic`] (NaN: none), then
/// `class_{value}_ha` for the classes of class rasters; the field's metadata name them (`columns`). The numbers of a row
/// lie together, so that a week of a zone is two reads. It stays open: what replaces it later is not seen. A read that fails is
/// an error and nothing of it is kept: a part that cannot be read is never a zone that is not there.
#[derive(Debug)]
pub struct StatisticTable {
    source: Arc<dyn ReadAt>,
    len: usize,
    metadata: BTreeMap<String, String>,
    fid: Place,
    fids: OnceLock<Vec<i64>>,
    /// Least and greatest `fid`.
    ends: Option<(i64, i64)>,
    code_ends: Place,
    code_text: Place,
    by_code: Place,
    /// None in tables of before there were marks of shapes.
    shape: Option<Place>,
    numbers: Place,
    columns: Vec<Column>,
    /// Set when a read failed: the file is opened anew for the next one, for it may have been brought back.
    failed: AtomicBool,
}

impl StatisticTable {
    /// Opens a table as it lies; see [`StatisticTable::over`].
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be opened, and what [`StatisticTable::over`] says.
    pub fn open(path: &Path) -> Result<Self> {
        Self::over(Arc::new(ObjectFile::open(path)?))
    }

    /// Checks that the buffers of an open table lie in the file.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read, [`Error::Damaged`] when it is another than was written, or no table of
    /// statistics.
    pub fn over(source: Arc<dyn ReadAt>) -> Result<Self> {
        let path = source.location().to_path_buf();
        let bad = |reason: &str| {
            let what_to_do = "`sen process` makes it anew once the file is gone";
            Error::damaged(
                &path,
                format!("is no table of statistics: {reason}; {what_to_do}"),
            )
        };
        let size = source.size();
        let end = size.checked_sub(10).ok_or_else(|| bad("it is too short"))?;
        let mut tail = [0; 10];
        source.read_into(&mut tail, end)?;
        let length = read_footer_length(tail).map_err(|_| bad("it does not end as Arrow IPC files do"))?;
        let start = end
            .checked_sub(length as u64)
            .filter(|_| length <= LONGEST_HEADER)
            .ok_or_else(|| bad("its footer has an impossible length"))?;
        let mut footer = vec![0; length];
        source.read_into(&mut footer, start)?;
        let footer = root_as_footer(&footer).map_err(|_| bad("its footer is damaged"))?;
        let (len, buffers) = buffers(source.as_ref(), size, &footer, bad)?;
        Self::of(source, &footer, len, &buffers)?.ok_or_else(|| bad("its columns are others than expected"))
    }

    /// Takes the columns out of the footer; none when one is missing or of a wrong length.
    fn of(source: Arc<dyn ReadAt>, footer: &Footer, len: usize, buffers: &[Place]) -> Result<Option<Self>> {
        let Some(mut table) = Self::columns_of(source, footer, len, buffers) else {
            return Ok(None);
        };
        if let Some(last) = len.checked_sub(1) {
            table.ends = Some((table.fid(0)?, table.fid(last)?));
        }
        Ok(Some(table))
    }

    fn columns_of(source: Arc<dyn ReadAt>, footer: &Footer, len: usize, buffers: &[Place]) -> Option<Self> {
        use arrow_ipc::Type;
        let schema = footer.schema()?;
        let metadata = schema.custom_metadata().map(|pairs| {
            let text =
                |pair: arrow_ipc::KeyValue<'_>| Some((pair.key()?.to_owned(), pair.value()?.to_owned()));
            pairs.iter().filter_map(text).collect()
        });
        let (mut fid, mut code, mut by_code, mut shape, mut numbers) = (None, None, None, None, None);
        // each column has a validity buffer first, which is not looked at: nothing here is null
        let mut rest = buffers;
        let wide = |place: &Place, bytes: usize| place.bytes >= bytes as u64 * len as u64;
        for field in schema.fields()? {
            match (field.name()?, field.type_type()) {
                ("code", Type::Utf8) => {
                    let [_, ends, text, others @ ..] = rest else {
                        return None;
                    };
                    code = (len == 0 || ends.bytes >= 4 * (len as u64 + 1)).then_some((*ends, *text));
                    rest = others;
                }
                (name @ ("fid" | "by_code" | "shape"), Type::Int) => {
                    let [_, place, others @ ..] = rest else {
                        return None;
                    };
                    let (column, bytes) = match name {
                        "fid" => (&mut fid, 8),
                        "shape" => (&mut shape, 8),
                        _ => (&mut by_code, 4),
                    };
                    *column = Some(*place).filter(|place| wide(place, bytes));
                    rest = others;
                }
                ("numbers", Type::FixedSizeList) => {
                    // the list has a validity buffer of its own
                    let [_, _, place, others @ ..] = rest else {
                        return None;
                    };
                    let columns = columns(&field)?;
                    numbers =
                        Some((*place, columns)).filter(|(place, columns)| wide(place, 8 * columns.len()));
                    rest = others;
                }
                _ => return None,
            }
        }
        let (code_ends, code_text) = code?;
        let (numbers, columns) = numbers?;
        Some(Self {
            source,
            len,
            metadata: metadata.unwrap_or_default(),
            fid: fid?,
            fids: OnceLock::new(),
            ends: None,
            code_ends,
            code_text,
            by_code: by_code?,
            shape,
            numbers,
            columns,
            failed: AtomicBool::new(false),
        })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes of what was read of it so far, and is kept.
    pub fn held_bytes(&self) -> u64 {
        let columns = self.columns.iter().filter_map(|column| column.values.get());
        let numbers = columns.map(Vec::len).sum::<usize>() + self.fids.get().map_or(0, Vec::len);
        8 * numbers as u64
    }

    /// True without a row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What the table was made of.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// Names of the columns of numbers, in their order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// True once a read has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// The features, ascending; read once and then kept (8 bytes a row).
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn fids(&self) -> Result<&[i64]> {
        if let Some(fids) = self.fids.get() {
            return Ok(fids);
        }
        let bytes = self.read(self.fid, 8 * self.len)?;
        let values = bytes.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes));
        let values: Vec<i64> = values.collect();
        if !values.is_sorted_by(|a, b| a < b) {
            return Err(self.damaged("its zones are not in order"));
        }
        Ok(self.fids.get_or_init(|| values))
    }

    /// The mark of the shape that each row was computed of, in the order of rows; none where the table has none.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn shapes(&self) -> Result<Option<Vec<u64>>> {
        let Some(place) = self.shape else { return Ok(None) };
        let bytes = self.read(place, 8 * self.len)?;
        let marks = bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
        Ok(Some(marks.collect()))
    }

    /// The row of a feature; none for a feature that was not there when the table was made.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn row_of(&self, fid: i64) -> Result<Option<usize>> {
        if let Some(fids) = self.fids.get() {
            return Ok(fids.binary_search(&fid).ok());
        }
        let (Some(mut high), Some((mut first, mut last))) = (self.len.checked_sub(1), self.ends) else {
            return Ok(None);
        };
        let mut low = 0;
        // fids are given one after the other: a guess between the ends is mostly right at once
        let mut halve = false;
        while (first..=last).contains(&fid) {
            if first == last {
                return Ok(Some(low));
            }
            let share = (fid as f64 - first as f64) / (last as f64 - first as f64);
            let guess = if halve {
                usize::midpoint(low, high)
            } else {
                low + (share * (high - low) as f64) as usize
            };
            halve = !halve;
            let row = guess.clamp(low, high);
            let found = self.fid(row)?;
            match found.cmp(&fid) {
                std::cmp::Ordering::Equal => return Ok(Some(row)),
                std::cmp::Ordering::Less if row < high => {
                    low = row + 1;
                    first = self.fid(low)?;
                }
                std::cmp::Ordering::Greater if row > low => {
                    high = row - 1;
                    last = self.fid(high)?;
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The row of a code; where several features carry it (codes are used again in the world) the one with the
    /// greatest `fid`.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn row_of_code(&self, code: &str) -> Result<Option<usize>> {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.code(self.nth_by_code(middle)?)?.as_str() <= code {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let Some(last) = low.checked_sub(1) else {
            return Ok(None);
        };
        let row = self.nth_by_code(last)?;
        Ok((self.code(row)? == code).then_some(row))
    }

    /// The code of a row that [`StatisticTable::row_of`] gave.
    ///
    /// # Errors
    /// When the file cannot be read any more, or has no such row.
    pub fn code(&self, row: usize) -> Result<String> {
        let wrong = || self.damaged("the code of a row is not where it says");
        if row >= self.len {
            return Err(wrong());
        }
        let ends: [u8; 8] = self.at(self.code_ends, 4 * row)?;
        let [start, end] = [&ends[..4], &ends[4..]]
            .map(|bytes| bytes.try_into().map(i32::from_le_bytes).unwrap_or_default() as u64);
        if start > end || end > self.code_text.bytes {
            return Err(wrong());
        }
        let place = Place {
            offset: self.code_text.offset + start,
            bytes: end - start,
        };
        String::from_utf8(self.read(place, place.bytes as usize)?).map_err(|_| wrong())
    }

    /// The statistic of a row that [`StatisticTable::row_of`] gave.
    ///
    /// # Errors
    /// When the file cannot be read any more, or has no such row.
    pub fn statistic(&self, row: usize) -> Result<ZonalStatistic> {
        let mut statistic = ZonalStatistic::default();
        if row >= self.len {
            return Err(self.damaged("it has fewer rows than it says"));
        }
        let kept = |column: &Column| column.values.get().and_then(|values| values.get(row).copied());
        let numbers = match self.columns.iter().map(kept).collect() {
            Some(numbers) => numbers,
            None => self.rows(row, 1)?,
        };
        for (index, (column, value)) in self.columns.iter().zip(numbers).enumerate() {
            if let Some((.., set)) = COLUMNS.get(index) {
                set(&mut statistic, value);
            } else if let Some(class) = class_of(&column.name) {
                statistic.classes.insert(class, value);
            }
        }
        Ok(statistic)
    }

    /// A whole column of numbers (NaN: none), a value a row; read once and then kept (8 bytes a row). None when the table
    /// has no column of this name.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn column(&self, name: &str) -> Result<Option<&[f64]>> {
        let Some(index) = self.columns.iter().position(|column| column.name == name) else {
            return Ok(None);
        };
        let kept = &self.columns[index].values;
        if let Some(values) = kept.get() {
            return Ok(Some(values));
        }
        let read = self.gather(&[index])?.pop().unwrap_or_default();
        Ok(Some(kept.get_or_init(|| read)))
    }

    /// Reads all columns into memory (some 100 bytes a row), for who asks for many rows.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn load(&self) -> Result<()> {
        self.fids()?;
        let missing: Vec<usize> = (0..self.columns.len())
            .filter(|&index| self.columns[index].values.get().is_none())
            .collect();
        for (index, values) in missing.iter().zip(self.gather(&missing)?) {
            // another thread may have been faster, with the same numbers
            let _ = self.columns[*index].values.set(values);
        }
        Ok(())
    }

    /// Some columns as a whole, in one pass through the rows.
    fn gather(&self, columns: &[usize]) -> Result<Vec<Vec<f64>>> {
        let mut gathered = vec![Vec::with_capacity(self.len); columns.len()];
        for start in (0..self.len).step_by(ROWS_AT_ONCE) {
            let rows = self.rows(start, ROWS_AT_ONCE.min(self.len - start))?;
            for row in rows.chunks_exact(self.columns.len()) {
                for (values, &column) in gathered.iter_mut().zip(columns) {
                    values.push(row[column]);
                }
            }
        }
        Ok(gathered)
    }

    /// The numbers of some rows that are there, row after row.
    fn rows(&self, start: usize, count: usize) -> Result<Vec<f64>> {
        let bytes = 8 * self.columns.len();
        let place = Place {
            offset: self.numbers.offset + (start * bytes) as u64,
            bytes: (count * bytes) as u64,
        };
        let bytes = self.read(place, count * bytes)?;
        let values = bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes));
        Ok(values.collect())
    }

    fn fid(&self, row: usize) -> Result<i64> {
        self.at(self.fid, 8 * row).map(i64::from_le_bytes)
    }

    /// The row whose code is the n-th.
    fn nth_by_code(&self, n: usize) -> Result<usize> {
        let row = self.at(self.by_code, 4 * n).map(u32::from_le_bytes)? as usize;
        if row >= self.len {
            return Err(self.damaged("the order of its codes names a row that is not there"));
        }
        Ok(row)
    }

    fn at<const N: usize>(&self, place: Place, offset: usize) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, place.offset + offset as u64)?;
        Ok(bytes)
    }

    /// The first `length` bytes of a buffer, which `open` has found to be there.
    fn read(&self, place: Place, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes, place.offset)?;
        Ok(bytes)
    }

    fn fill(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        self.source.read_into(bytes, offset).inspect_err(|_| {
            self.failed.store(true, Ordering::Relaxed);
        })
    }

    fn damaged(&self, reason: &str) -> Error {
        self.failed.store(true, Ordering::Relaxed);
        Error::damaged(self.source.location(), reason)
    }
}

/// The columns of the list of numbers, the ones of [`COLUMNS`] first; none when they are others.
fn columns(field: &arrow_ipc::Field) -> Option<Vec<Column>> {
    let width = field.type_as_fixed_size_list()?.listSize();
    let child = field.children().filter(|children| children.len() == 1)?.get(0);
    if child.type_as_floating_point()?.precision() != arrow_ipc::Precision::DOUBLE {
        return None;
    }
    let pairs = field.custom_metadata()?;
    let names = pairs
        .iter()
        .find(|pair| pair.key() == Some(COLUMNS_KEY))?
        .value()?;
    let columns: Vec<Column> = names
        .split(',')
        .map(|name| Column {
            name: name.to_owned(),
            values: OnceLock::new(),
        })
        .collect();
    let usual = COLUMNS
        .iter()
        .zip(&columns)
        .filter(|((name, ..), own)| *name == own.name);
    (usual.count() == COLUMNS.len() && usize::try_from(width) == Ok(columns.len())).then_some(columns)
}

/// Rows of the one batch and its buffers, each checked to lie in the file.
fn buffers(
    source: &dyn ReadAt,
    size: u64,
    footer: &Footer,
    bad: impl Fn(&str) -> Error,
) -> Result<(usize, Vec<Place>)> {
    let batches = footer.recordBatches().ok_or_else(|| bad("it has no rows"))?;
    if batches.len() != 1 {
        return Err(bad(&format!(
            "it has {} batches of rows where one is expected",
            batches.len()
        )));
    }
    let block = batches.get(0);
    let (offset, length) = (block.offset() as u64, block.metaDataLength() as usize);
    if !(8..=LONGEST_HEADER).contains(&length) || offset.saturating_add(length as u64) > size {
        return Err(bad("its batch lies outside the file"));
    }
    let mut header = vec![0; length];
    source.read_into(&mut header, offset)?;
    // a marker and the length of what follows
    let message = root_as_message(&header[8..]).map_err(|_| bad("its batch is damaged"))?;
    let batch = message
        .header_as_record_batch()
        .ok_or_else(|| bad("its batch is damaged"))?;
    if batch.compression().is_some() {
        return Err(bad("it is compressed"));
    }
    let len = usize::try_from(batch.length()).map_err(|_| bad("its batch is damaged"))?;
    let body = offset + length as u64;
    let place = |buffer: &arrow_ipc::Buffer| {
        let start = body
            .checked_add_signed(buffer.offset())
            .filter(|&start| start >= body);
        let bytes = u64::try_from(buffer.length()).ok();
        let inside = |(start, bytes): &(u64, u64)| start.checked_add(*bytes).is_some_and(|end| end <= size);
        let (offset, bytes) = start
            .zip(bytes)
            .filter(inside)
            .ok_or_else(|| bad("a column lies outside the file"))?;
        Ok(Place { offset, bytes })
    };
    let places: Result<Vec<Place>> = batch
        .buffers()
        .map_or_else(|| Ok(Vec::new()), |buffers| buffers.iter().map(place).collect());
    // eight bytes a row at least: a lying length asks for no memory
    if len as u64 > size / 8 {
        return Err(bad("it has fewer rows than it says"));
    }
    Ok((len, places?))
}
