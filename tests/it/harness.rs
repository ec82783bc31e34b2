//! A temporary data folder, the binary, and a running service.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// What a finished command said.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Fails the test unless the command ended with this status.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Both streams.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// What the report of a run says of a step; null where it had nothing to look at.
pub(crate) fn step<'a>(report: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    let steps = report["steps"].as_array().expect("steps");
    let step = steps.iter().find(|step| step["step"] == name);
    step.unwrap_or(&serde_json::Value::Null)
}

/// Units of a dataset that a step came to this status with; 0 where it had none.
pub(crate) fn count(report: &serde_json::Value, name: &str, dataset: &str, status: &str) -> u64 {
    let all = step(report, name)["datasets"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let own = all.iter().filter(|counts| counts["dataset"] == dataset);
    own.filter_map(|counts| counts[status].as_u64()).sum()
}

/// A data folder of a test's own.
pub(crate) struct Sen {
    /// Kept for its life time: holds `data` and whatever the test puts beside it.
    pub(crate) folder: tempfile::TempDir,
}

impl Sen {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("temporary folder"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// See [`asset`].
    pub(crate) fn asset(&self, place: &str) -> PathBuf {
        asset(&self.data(), place)
    }

    /// The command line `sen --data DATA ARGS...`, not yet started.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        command(&self.data(), args)
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.command(args).output().expect("the binary starts").into()
    }

    /// `sen ingest PATH ...`
    pub(crate) fn ingest(&self, path: &Path, more: &[&str]) -> Run {
        let mut args = vec!["ingest", path.to_str().expect("UTF-8 path")];
        args.extend(more);
        self.run(&args)
    }

    pub(crate) fn digest(&self) -> String {
        self.run(&["check", "--digest"]).expect(0).stdout
    }

    pub(crate) fn serve(&self) -> Service {
        Service::start(&self.data())
    }
}

/// The file of an asset by its place without its checksum, as `ndvi/2026/ndvi_2026-W34/ndvi.tif`: the one written last where there
/// are several, and the place itself where there is none.
pub(crate) fn asset(data: &Path, place: &str) -> PathBuf {
    let whole = data.join("assets").join(place);
    let part = |part: Option<&std::ffi::OsStr>| part.expect("a name").to_str().expect("UTF-8").to_owned();
    let (stem, ending) = (part(whole.file_stem()), part(whole.extension()));
    let is_one = |path: &PathBuf| {
        let name = part(path.file_name());
        let middle = name
            .strip_prefix(&format!("{stem}-"))
            .and_then(|name| name.strip_suffix(&format!(".{ending}")));
        middle.is_some_and(|sum| sum.len() == 16 && sum.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let entries = std::fs::read_dir(whole.parent().expect("a folder"));
    let found = entries.into_iter().flatten().flatten().map(|entry| entry.path());
    let newest = found
        .filter(is_one)
        .max_by_key(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok());
    newest.unwrap_or(whole)
}

/// `sen --data DATA ARGS...` of a folder that is no test's own.
pub(crate) fn at(data: &Path, args: &[&str]) -> Run {
    command(data, args).output().expect("the binary starts").into()
}

fn command(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sen"));
    command
        .arg("--data")
        .arg(data)
        .args(args)
        .env_remove("SEN_DATA")
        .env_remove("SEN_LISTEN")
        .env_remove("SEN_LOG");
    command
}

/// A running `sen serve` on a free port; stopped with SIGTERM when dropped.
pub(crate) struct Service {
    child: Child,
    pub(crate) base: String,
    client: reqwest::blocking::Client,
}

impl Service {
    pub(crate) fn start(data: &Path) -> Self {
        let mut child = command(data, &["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let base = line
            .trim()
            .strip_prefix("sen: map at ")
            .expect("the promised line")
            .trim_end_matches('/');
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::blocking::Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("client");
        Self {
            child,
            base: base.to_owned(),
            client,
        }
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::blocking::Response {
        self.client
            .get(format!("{}{path}", self.base))
            .send()
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn get_with(&self, path: &str, header: &str, value: &str) -> reqwest::blocking::Response {
        let request = self
            .client
            .get(format!("{}{path}", self.base))
            .header(header, value);
        request.send().unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn post(&self, path: &str, body: &serde_json::Value) -> reqwest::blocking::Response {
        let request = self.client.post(format!("{}{path}", self.base)).json(body);
        request.send().unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn json(&self, path: &str) -> serde_json::Value {
        let response = self.get(path);
        assert_eq!(response.status(), 200, "{path}");
        response.json().unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The pixels of a tile as RGBA, and its side.
    pub(crate) fn rgba(&self, path: &str) -> (Vec<[u8; 4]>, usize) {
        let response = self.get(path);
        assert_eq!(response.status(), 200, "{path}");
        decode_png(&response.bytes().expect("body"))
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM; the exit status.
    pub(crate) fn stop(mut self) -> Option<i32> {
        terminate(&self.child);
        self.child.wait().expect("ends").code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        terminate(&self.child);
        let _ = self.child.wait();
    }
}

fn terminate(child: &Child) {
    let _ = Command::new("kill")
        .arg(child.id().to_string())
        .stderr(Stdio::null())
        .status();
}

/// Runs GDAL's `ogr2ogr` in a folder.
pub(crate) fn ogr2ogr(folder: &Path, args: &[&str]) {
    let output = Command::new("ogr2ogr")
        .current_dir(folder)
        .args(args)
        .output()
        .expect("ogr2ogr is there (gdal-bin)");
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Any PNG as RGBA pixels and its width.
pub(crate) fn decode_png(bytes: &[u8]) -> (Vec<[u8; 4]>, usize) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
    let mut reader = decoder.read_info().expect("a PNG");
    let mut buffer = vec![0; reader.output_buffer_size().expect("bounded")];
    let info = reader.next_frame(&mut buffer).expect("a picture");
    let pixels = buffer[..info.buffer_size()]
        .chunks_exact(4)
        .map(|pixel| [pixel[0], pixel[1], pixel[2], pixel[3]])
        .collect();
    (pixels, info.width as usize)
}

/// The project's folder of real data, which a plain checkout does not have.
pub(crate) fn real_data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not on this machine", path.display());
    None
}
