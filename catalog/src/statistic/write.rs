//! Writing a table: one Arrow IPC file, uncompressed, one record batch.

use super::{COLUMNS, COLUMNS_KEY, StatisticTable, ZonalStatistic, class_column};
use crate::{Error, Result};
use arrow_array::{
    ArrayRef, FixedSizeListArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array,
    UInt64Array,
};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

impl StatisticTable {
    /// Writes a table; the same rows and metadata give the same bytes.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless the rows are in ascending order of `fid`, none twice; [`Error::Io`] when the file cannot
    /// be written.
    pub fn write(
        path: &Path,
        rows: &[(i64, String, ZonalStatistic)],
        metadata: &BTreeMap<String, String>,
    ) -> Result<()> {
        Self::write_with_shapes(path, rows, &[], metadata)
    }

    /// The same with a mark of the shape that each row was computed of, so that later only rows of other shapes are computed.
    ///
    /// # Errors
    /// As [`StatisticTable::write`].
    pub fn write_with_shapes(
        path: &Path,
        rows: &[(i64, String, ZonalStatistic)],
        shapes: &[u64],
        metadata: &BTreeMap<String, String>,
    ) -> Result<()> {
        if let Some(pair) = rows.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            return Err(Error::Invalid(format!(
                "rows of a table of statistics must ascend by fid; {} stands before {}",
                pair[0].0, pair[1].0
            )));
        }
        let batch = batch(rows, shapes, metadata).map_err(|error| Error::Invalid(error.to_string()))?;
        let file = File::create(path).map_err(|error| Error::io(path, error))?;
        save(file, &batch).map_err(|error| match error {
            ArrowError::IoError(_, error) => Error::io(path, error),
            other => Error::Invalid(format!("{}: {other}", path.display())),
        })
    }
}

fn batch(
    rows: &[(i64, String, ZonalStatistic)],
    shapes: &[u64],
    metadata: &BTreeMap<String, String>,
) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let mut add = |name: String, data_type: DataType, array: ArrayRef| {
        fields.push(Field::new(name, data_type, false));
        arrays.push(array);
    };
    let fids: Int64Array = rows.iter().map(|(fid, ..)| *fid).collect::<Vec<_>>().into();
    add("fid".into(), DataType::Int64, Arc::new(fids));
    let characters: usize = rows.iter().map(|(_, code, _)| code.len()).sum();
    if characters > i32::MAX as usize || rows.len() > i32::MAX as usize {
        return Err(ArrowError::InvalidArgumentError(format!(
            "{} codes of {characters} bytes do not fit one table of statistics",
            rows.len()
        )));
    }
    let codes = StringArray::from_iter_values(rows.iter().map(|(_, code, _)| code));
    add("code".into(), DataType::Utf8, Arc::new(codes));
    // the rows in the order of their codes: how a code is found without reading all of them
    let mut by_code: Vec<u32> = (0..rows.len() as u32).collect();
    by_code.sort_by_key(|&row| (rows[row as usize].1.as_str(), row));
    add(
        "by_code".into(),
        DataType::UInt32,
        Arc::new(UInt32Array::from(by_code)),
    );
    if shapes.len() == rows.len() && !shapes.is_empty() {
        let marks = UInt64Array::from(shapes.to_vec());
        add("shape".into(), DataType::UInt64, Arc::new(marks));
    }
    let classes: BTreeSet<i64> = rows
        .iter()
        .flat_map(|(.., statistic)| statistic.classes.keys().copied())
        .collect();
    let mut numbers = Vec::with_capacity(rows.len() * (COLUMNS.len() + classes.len()));
    for (.., statistic) in rows {
        numbers.extend(COLUMNS.iter().map(|(_, of, _)| of(statistic)));
        numbers.extend(
            classes
                .iter()
                .map(|class| statistic.classes.get(class).copied().unwrap_or(0.0)),
        );
    }
    let usual = COLUMNS.iter().map(|(name, ..)| (*name).to_owned());
    let names: Vec<String> = usual.chain(classes.into_iter().map(class_column)).collect();
    let number = Arc::new(Field::new("number", DataType::Float64, false));
    let width = names.len() as i32;
    let list = FixedSizeListArray::try_new(
        Arc::clone(&number),
        width,
        Arc::new(Float64Array::from(numbers)),
        None,
    )?;
    let names = [(COLUMNS_KEY.to_owned(), names.join(","))];
    fields.push(
        Field::new("numbers", DataType::FixedSizeList(number, width), false).with_metadata(names.into()),
    );
    arrays.push(Arc::new(list));
    let metadata = metadata.clone().into_iter().collect();
    RecordBatch::try_new(Arc::new(Schema::new_with_metadata(fields, metadata)), arrays)
}

fn save(file: File, batch: &RecordBatch) -> Result<(), ArrowError> {
    let mut writer = FileWriter::try_new(BufWriter::with_capacity(1 << 20, file), batch.schema_ref())?;
    writer.write(batch)?;
    writer.finish()
}
