//! What surveys hold of people stays inside: asked of every address the service has.

use crate::harness::{Sen, Service};
use crate::scenes::{self, RICE};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// What must not come out, in any spelling in which it lies in the files.
const SECRETS: &[&str] = &[
    "Bí Mật",
    "BÍ MẬT",
    "B\\u00ed",
    "0912345678",
    "079012345678",
    "bimat@",
    "Hẻm Kín",
    "chu_ho",
    "so_dien_thoai",
    "cccd",
    "dia_chi",
    "email",
];

fn square(column: f64, row: f64) -> Value {
    json!({"type": "Polygon", "coordinates": [scenes::ring(column, row, 10.0)]})
}

/// A little province with a week of NDVI, plots of owners, and a gauge with its keeper's telephone.
fn province() -> Sen {
    let sen = Sen::new();
    let source = sen.path("source");
    scenes::sentinel2(
        &source,
        "S2A_48PWS_20260818_0_L2A",
        "2026-08-18T03:21:31Z",
        |_, _| RICE,
    );
    sen.ingest(&source, &["--no-process"]).expect(0);
    let person = json!({"chu_ho": "Nguyễn Văn Bí Mật", "so_dien_thoai": "0912345678", "cccd": "079012345678",
        "email": "bimat@example.vn", "dia_chi": "Hẻm Kín 3", "crop": "lúa", "survey": {"email": "bimat@example.vn", "year": 2024}});
    let feature = |code: &str, geometry: Value| {
        let mut properties = person.clone();
        properties["code"] = json!(code);
        json!({"type": "Feature", "properties": properties, "geometry": geometry})
    };
    let layer = |name: &str, features: Vec<Value>| {
        let path = sen.path(name);
        let text = json!({"type": "FeatureCollection", "features": features}).to_string();
        fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let plots = layer(
        "plots.geojson",
        vec![
            feature("P-1", square(10.0, 10.0)),
            feature("P-2", square(40.0, 40.0)),
        ],
    );
    let said = sen
        .run(&["import", "zones", &plots, "--as", "plots", "--name", "chu_ho"])
        .expect(0);
    assert!(
        said.stdout.contains("chu_ho") && said.stdout.contains("[layers.plots] public = "),
        "the import says what will not be shown: {}",
        said.text()
    );
    let centre = square(20.0, 20.0)["coordinates"][0][0].clone();
    let mut gauge = feature("TV-1", json!({"type": "Point", "coordinates": centre}));
    gauge["properties"]["name"] = json!("Trạm Cao Lãnh");
    let stations = layer("stations.geojson", vec![gauge]);
    sen.run(&["import", "layer", &stations, "--as", "stations"])
        .expect(0);
    let readings = sen.path("readings.csv");
    fs::write(
        &readings,
        "time,station,water_level_m\n2026-08-18T03:00:00Z,TV-1,1.5\n",
    )
    .expect("written");
    sen.run(&["import", "observations", readings.to_str().expect("UTF-8")])
        .expect(0);
    sen.run(&["process"]).expect(0);
    sen
}

/// Every address that the sources of the service register, with something in place of each parameter.
fn addresses(sen: &Sen) -> Vec<String> {
    let table = sen.asset("ndvi/2026/ndvi_2026-W34/statistics_plots.arrow");
    let table = table.file_name().expect("a name").to_str().expect("UTF-8");
    let mut found: Vec<String> = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tiler/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            for piece in text.split(".route(").skip(1) {
                let Some(address) = piece
                    .trim_start()
                    .strip_prefix('"')
                    .and_then(|rest| rest.split('"').next())
                    .filter(|address| address.starts_with('/'))
                else {
                    continue; // put together by the program: named below
                };
                found.push(address.to_owned());
            }
        }
    }
    assert!(found.len() > 30, "the routes are found: {found:?}");
    let filled = found.into_iter().flat_map(|address| {
        let kinds: &[&str] = if address.contains("{kind}") || address.contains("{layer}") {
            &["plots", "stations"]
        } else {
            &["plots"]
        };
        let kinds: Vec<_> = kinds.to_vec();
        kinds.into_iter().map(move |kind| {
            let code = if kind == "stations" || address.contains("/stations/") {
                "TV-1"
            } else {
                "P-1"
            };
            let mut filled = address.clone();
            for (name, value) in [
                ("{kind}", kind),
                ("{layer}", kind),
                ("{code}", code),
                ("{period}", "2026-W34"),
                ("{collection}", "ndvi"),
                ("{item}", "ndvi_2026-W34"),
                ("{style}", "ndvi"),
                ("{z}", "14"),
                ("{x}", "12995"),
                ("{y}", "7711"),
                ("{place}", "105.63,10.46"),
                ("{box}", "105.6,10.4,105.7,10.5"),
                ("{size}", "64x64.png"),
                ("{id}", "WebMercatorQuad"),
                ("{year}", "2026"),
                ("{file}", table),
            ] {
                filled = filled.replace(name, value);
            }
            filled
        })
    });
    let mut addresses: Vec<String> = filled.filter(|address| !address.contains("{*")).collect();
    if let Some(address) = addresses.iter().find(|address| address.contains('{')) {
        panic!("say in this test what stands for the parameters of {address}");
    }
    for more in [
        "/plots",
        "/stations",
        "/plots,stations",
        "/sta/v1.1",
        "/sta/v1.1/Things",
        "/sta/v1.1/Things?$expand=Locations,Datastreams",
        "/sta/v1.1/Locations",
        "/sta/v1.1/Datastreams?$expand=Thing",
        "/sta/v1.1/FeaturesOfInterest",
        "/sta/v1.1/Observations?$expand=FeatureOfInterest",
        "/api/v1/zones/plots?geometry=none&limit=1",
        "/api/v1/zones/plots/P-1/statistics?collection=ndvi&f=csv",
        "/api/v1/zones/plots/rollup?collection=ndvi&f=csv",
        "/api/v1/zones/plots/values?collection=ndvi",
        "/api/v1/search?q=P-1",
        "/api/v1/stations?bbox=105,10,106,11",
        "/zones/plots/P-1?lang=en",
        "/zones/stations/TV-1",
        "/zones/plots?q=P",
    ] {
        addresses.push(more.to_owned());
    }
    addresses.push(format!("/assets/ndvi/2026/ndvi_2026-W34/{table}"));
    for layer in ["plots", "stations", "plots,stations"] {
        for zoom in 8..=16 {
            addresses.push(tile_address(layer, zoom));
        }
    }
    addresses
}

/// The address of the tile in which the first plot begins.
fn tile_address(layer: &str, zoom: u32) -> String {
    let corner = &square(10.0, 10.0)["coordinates"][0][0];
    let degrees = |index: usize| corner[index].as_f64().expect("degrees");
    let side = f64::from(1_u32 << zoom);
    let latitude = degrees(1).to_radians();
    let x = (degrees(0) / 360.0 + 0.5) * side;
    let y = (0.5 - (latitude.tan() + 1.0 / latitude.cos()).ln() / std::f64::consts::TAU) * side;
    format!("/{layer}/{zoom}/{}/{}", x as u32, y as u32)
}

fn ask(service: &Service, address: &str) -> (u16, Vec<u8>) {
    let response = service.get(address);
    let status = response.status().as_u16();
    let mut bytes = format!("{:?}", response.headers()).into_bytes();
    bytes.extend(response.bytes().expect("a body"));
    (status, bytes)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn no_address_tells_what_is_private() {
    let sen = province();
    let service = sen.serve();
    let mut answered = 0;
    for address in addresses(&sen) {
        let (status, bytes) = ask(&service, &address);
        assert!(status < 500, "{address}: {status}");
        answered += usize::from(status == 200);
        for secret in SECRETS {
            assert!(!holds(&bytes, secret), "{address} tells {secret}");
        }
    }
    assert!(answered > 40, "only {answered} addresses answered");
    let one = service.json("/api/v1/zones/plots/P-1");
    assert_eq!(one["properties"]["crop"], "lúa");
    assert_eq!(one["properties"]["survey"], json!({"year": 2024}));
    assert!(
        one["properties"]["name"].is_null(),
        "a name taken from the owner is not shown"
    );
    let page = service.get("/zones/plots/P-1").text().expect("a page");
    assert!(page.contains("P-1"));
}

#[test]
fn what_is_private_is_neither_found_nor_counted_nor_filtered_by() {
    let sen = province();
    let service = sen.serve();
    for query in [
        "q=Bí Mật",
        "q=nguyen van",
        "q=079012345678",
        "parent=Nguyễn Văn Bí Mật",
    ] {
        let found = service.json(&format!("/api/v1/zones/plots?{query}"));
        assert_eq!(found["numberMatched"], 0, "{query}");
    }
    for text in ["Bí Mật", "nguyenvanbimat", "079012345678", "0912345678"] {
        let found = service
            .get(&format!("/api/v1/search?q={text}"))
            .text()
            .expect("an answer");
        assert!(!found.contains("P-1"), "{text}: {found}");
    }
    for query in ["chu_ho=Nguyễn Văn Bí Mật", "CHU_HO=x", "cccd=079012345678"] {
        for address in ["/api/v1/zones/plots", "/plots/14/12995/7711", "/zones/plots"] {
            let (status, bytes) = ask(&service, &format!("{address}?{query}"));
            assert!(
                status == 400 || !holds(&bytes, "P-1"),
                "{address}?{query}: {status} {}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
    assert_eq!(service.json("/api/v1/zones/plots?crop=lúa")["numberMatched"], 2);
}

#[test]
fn another_list_shows_other_fields_under_other_validators() {
    let sen = province();
    let tag = |service: &Service, address: &str| {
        let response = service.get(address);
        assert_eq!(response.status(), 200, "{address}");
        response.headers()["etag"].to_str().expect("a text").to_owned()
    };
    let tilejson = |service: &Service| {
        service.json("/plots")["tiles"][0]
            .as_str()
            .expect("an address")
            .to_owned()
    };
    let tile = tile_address("plots", 10);
    let service = sen.serve();
    let before = (
        tag(&service, "/api/v1/zones/plots/P-1"),
        tilejson(&service),
        service.get(&tile).headers().get("etag").cloned(),
    );
    drop(service);
    let settings = sen.data().join("sen.toml");
    let text = fs::read_to_string(&settings).unwrap_or_default();
    fs::write(
        &settings,
        format!("{text}\n[layers.plots]\npublic = [\"chu_ho\"]\nprivate = [\"crop\"]\n"),
    )
    .expect("written");
    let service = sen.serve();
    let one = service.json("/api/v1/zones/plots/P-1");
    assert_eq!(one["properties"]["chu_ho"], "Nguyễn Văn Bí Mật");
    assert_eq!(one["properties"]["name"], "Nguyễn Văn Bí Mật");
    assert!(one["properties"]["crop"].is_null() && one["properties"]["cccd"].is_null());
    let path = |address: &str| address.split('?').nth(1).unwrap_or_default().to_owned();
    assert_ne!(before.0, tag(&service, "/api/v1/zones/plots/P-1"));
    assert_ne!(path(&before.1), path(&tilejson(&service)), "`v=` is another");
    assert_ne!(before.2, service.get(&tile).headers().get("etag").cloned());
    assert_eq!(service.get("/api/v1/zones/plots?crop=lúa").status(), 400);
}
