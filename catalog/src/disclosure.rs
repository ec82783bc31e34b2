//! Which attributes of a layer the public may see.
//!
//! Layers come with what surveys hold: owners, identity numbers, telephones. Attributes of these names are private by
//! default ([`PRIVATE_FIELDS`]), `[layers.KIND]` of `sen.toml` says otherwise by layer. It is decided when a feature is read
//! for the public ([`crate::Store::disclosed`]), so that layers imported long ago are covered too; rules inside go on
//! reading everything.

mod personal;

pub use personal::{PersonalData, personal_data};

use crate::feature::{Feature, fold};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

/// Names of attributes that are private by default, compared as [`fold`] makes them (no accents, case or marks), as a whole,
/// with or without a number behind them (`phone_2`). The list stands in `docs/operations.md`, too; a test holds both together.
pub const PRIVATE_FIELDS: &[&str] = &[
    // who
    "owner",
    "owner_name",
    "owners",
    "land_user",
    "chu",
    "chu_dat",
    "chu_ho",
    "chu_nha",
    "chu_rung",
    "chu_so_huu",
    "chu_su_dung",
    "chu_thua",
    "chu_trai",
    "chu_vuon",
    "ten_chu",
    "ten_chu_dat",
    "ten_chu_ho",
    "ten_chu_rung",
    "ten_chu_so_huu",
    "ten_chu_su_dung",
    "ho_ten",
    "ho_va_ten",
    "ho_ten_chu_ho",
    "ten_ho",
    "ten_ho_dan",
    "ten_nong_dan",
    "ho_dan",
    "ho_gia_dinh",
    "nong_dan",
    "nong_ho",
    "nguoi_su_dung",
    "nguoi_su_dung_dat",
    "nguoi_dai_dien",
    "dai_dien",
    "nguoi_lien_he",
    "lien_he",
    "farmer",
    "farmer_name",
    "holder",
    "holder_name",
    "full_name",
    "first_name",
    "last_name",
    "surname",
    "contact",
    "contact_name",
    "contact_person",
    "representative",
    // papers
    "cccd",
    "so_cccd",
    "can_cuoc",
    "can_cuoc_cong_dan",
    "cmnd",
    "so_cmnd",
    "cmt",
    "so_cmt",
    "chung_minh_nhan_dan",
    "dinh_danh",
    "so_dinh_danh",
    "ma_dinh_danh",
    "ho_chieu",
    "passport",
    "identity_card",
    "identity_number",
    "id_card",
    "id_number",
    "national_id",
    "citizen_id",
    "ma_so_thue",
    "mst",
    "tax_code",
    "tax_id",
    "so_tai_khoan",
    "tai_khoan",
    "bank_account",
    // how to reach them
    "phone",
    "phone_number",
    "phones",
    "telephone",
    "tel",
    "mobile",
    "mobile_phone",
    "cell_phone",
    "sdt",
    "so_dt",
    "dien_thoai",
    "so_dien_thoai",
    "dien_thoai_chu_ho",
    "sdt_chu_ho",
    "di_dong",
    "so_di_dong",
    "zalo",
    "facebook",
    "email",
    "e_mail",
    "mail",
    "email_address",
    "thu_dien_tu",
    // where they live, when they were born
    "address",
    "home_address",
    "owner_address",
    "dia_chi",
    "dia_chi_chu_ho",
    "dia_chi_lien_he",
    "noi_o",
    "cho_o",
    "thuong_tru",
    "ho_khau",
    "ngay_sinh",
    "nam_sinh",
    "birth_date",
    "birthday",
    "date_of_birth",
    "dob",
    "year_of_birth",
];

/// [`PRIVATE_FIELDS`] as they are compared: folded once, for every single zone that is read asks for all of its attributes.
static PRIVATE_FOLDS: LazyLock<HashSet<String>> =
    LazyLock::new(|| PRIVATE_FIELDS.iter().map(|name| fold(name)).collect());

/// Kinds that are known by their names: a name is shown there though it was taken from a private attribute (a firm by the name
/// of its owner).
pub const PUBLIC_NAME_LAYERS: &[&str] = &["businesses", "cooperatives", "stations"];

/// Names of DBF columns are cut after so many bytes.
const DBF_NAME_BYTES: usize = 10;

/// What `[layers.KIND]` says of the attributes of a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LayerDisclosure {
    /// Attributes that everybody may see though their names are private by default.
    pub public: Vec<String>,
    /// Further attributes that nobody sees from outside; `name` hides the names of the features.
    pub private: Vec<String>,
}

/// Which attributes are private, by layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct DisclosurePolicy(pub BTreeMap<String, LayerDisclosure>);

impl DisclosurePolicy {
    /// True when the attribute of the layer is not for the public.
    pub fn is_private(&self, layer: &str, field: &str) -> bool {
        let field_fold = fold(field);
        let names = |list: &[String]| list.iter().any(|name| fold(name) == field_fold);
        match self.0.get(layer) {
            Some(own) if names(&own.private) => true,
            Some(own) if names(&own.public) => false,
            _ => is_private_by_default(field, &field_fold),
        }
    }

    /// Changes with whatever decides what is shown: part of every validator (`ETag`, `v=`) of what is made of features.
    pub fn digest(&self) -> u64 {
        let text = serde_json::json!([PRIVATE_FIELDS, PUBLIC_NAME_LAYERS, self.0]).to_string();
        crate::checksum::short_digest(&Sha256::digest(text))
    }

    /// What the public sees of features; remembers what was decided of each name.
    pub(crate) fn view(&self) -> DisclosureView<'_> {
        DisclosureView {
            policy: self,
            decided: HashMap::new(),
        }
    }
}

fn is_private_by_default(field: &str, field_fold: &str) -> bool {
    let whole = |name: &str| PRIVATE_FOLDS.contains(name);
    let numbered = field_fold.trim_end_matches(|c: char| c.is_ascii_digit());
    let cut = field.len() == DBF_NAME_BYTES
        && PRIVATE_FIELDS.iter().any(|private| {
            private.len() > DBF_NAME_BYTES && private.starts_with(&field.to_ascii_lowercase())
        });
    cut || whole(field_fold) || (!numbered.is_empty() && whole(numbered))
}

/// A policy at work on the features of one answer.
#[derive(Debug)]
pub(crate) struct DisclosureView<'a> {
    policy: &'a DisclosurePolicy,
    decided: HashMap<String, HashMap<String, bool>>,
}

impl DisclosureView<'_> {
    fn is_private(&mut self, layer: &str, field: &str) -> bool {
        if !self.decided.contains_key(layer) {
            self.decided.insert(layer.to_owned(), HashMap::new());
        }
        let Some(fields) = self.decided.get_mut(layer) else {
            return true;
        };
        if let Some(&known) = fields.get(field) {
            return known;
        }
        let private = self.policy.is_private(layer, field);
        fields.insert(field.to_owned(), private);
        private
    }

    /// Takes away what is private: attributes at any depth, and name, parent and further codes that were taken from one.
    pub(crate) fn disclose(&mut self, feature: &mut Feature) {
        let layer = feature.layer.clone();
        let mut hidden = Vec::new();
        self.strip(&layer, &mut feature.properties, &mut hidden);
        if self.is_private(&layer, "name") {
            feature.name = None;
        }
        if hidden.is_empty() {
            return;
        }
        let taken = |text: &str| {
            let text = fold(text);
            !text.is_empty() && hidden.contains(&text)
        };
        if !PUBLIC_NAME_LAYERS.contains(&layer.as_str()) {
            feature.name = feature.name.take().filter(|name| !taken(name));
        }
        feature.parent = feature.parent.take().filter(|parent| !taken(parent));
        feature.codes.retain(|other| !taken(&other.code));
    }

    /// Removes private members; their values, folded, join `hidden`.
    fn strip(&mut self, layer: &str, members: &mut Map<String, Value>, hidden: &mut Vec<String>) {
        let private: Vec<String> = members
            .keys()
            .filter(|name| self.is_private(layer, name))
            .cloned()
            .collect();
        for name in private {
            if let Some(value) = members.remove(&name) {
                gather(&value, hidden);
            }
        }
        for value in members.values_mut() {
            self.strip_within(layer, value, hidden);
        }
    }

    fn strip_within(&mut self, layer: &str, value: &mut Value, hidden: &mut Vec<String>) {
        match value {
            Value::Object(members) => self.strip(layer, members, hidden),
            Value::Array(values) => {
                for value in values {
                    self.strip_within(layer, value, hidden);
                }
            }
            _ => {}
        }
    }
}

fn gather(value: &Value, hidden: &mut Vec<String>) {
    match value {
        Value::String(text) => hidden.push(fold(text)),
        Value::Number(number) => hidden.push(fold(&number.to_string())),
        Value::Array(values) => values.iter().for_each(|value| gather(value, hidden)),
        Value::Object(members) => members.values().for_each(|value| gather(value, hidden)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::OtherCode;
    use geo_types::Point;
    use serde_json::json;

    fn policy(layer: &str, public: &[&str], private: &[&str]) -> DisclosurePolicy {
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        DisclosurePolicy(BTreeMap::from([(
            layer.to_owned(),
            LayerDisclosure {
                public: own(public),
                private: own(private),
            },
        )]))
    }

    #[test]
    fn whole_names_are_private_however_they_are_written() {
        let policy = DisclosurePolicy::default();
        for name in [
            "owner",
            "OWNER",
            "Owner_Name",
            "Chủ hộ",
            "CHU_HO",
            "chuho",
            "Số điện thoại",
            "so_dien_th",
            "SO_DIEN_TH",
            "phone2",
            "phone_1",
            "Địa chỉ",
            "e-mail",
            "Họ và tên",
            "CCCD",
            "chu_so_huu_1",
        ] {
            assert!(policy.is_private("plots", name), "{name}");
        }
        for name in [
            "ownership",
            "owner_kind",
            "chu_ky",
            "crop",
            "dien_tich",
            "dt",
            "tel_aviv",
            "mailbox_count",
            "code",
            "name",
            "ten",
            "id",
            "so_thua",
            "so_dien",
            "2",
        ] {
            assert!(!policy.is_private("plots", name), "{name}");
        }
    }

    #[test]
    fn a_layer_has_its_own_list() {
        let policy = policy("plots", &["Owner"], &["ghi chú"]);
        assert!(!policy.is_private("plots", "OWNER") && policy.is_private("plots", "GHI_CHU"));
        assert!(policy.is_private("plots", "phone"));
        assert!(policy.is_private("canals", "owner") && !policy.is_private("canals", "ghi_chu"));
        assert_ne!(policy.digest(), DisclosurePolicy::default().digest());
    }

    fn plot(layer: &str) -> Feature {
        let mut plot = Feature::new(layer, "P-1", Point::new(105.6, 10.4).into());
        plot.name = Some("Nguyễn Văn Bảy".into());
        plot.parent = Some("29869".into());
        plot.codes = ["VN-DTOR-0001", "079012345678"]
            .map(|code| OtherCode {
                scheme: "export".into(),
                market: None,
                code: code.into(),
            })
            .to_vec();
        let properties = json!({
            "chu_ho": "NGUYỄN VĂN BẢY", "crop": "lúa", "cccd": "079012345678",
            "survey": {"year": 2024, "owner": {"name": "Bảy", "phone": "0912"}, "visits": [{"email": "a@b.vn", "day": 3}]},
        });
        if let Value::Object(properties) = properties {
            plot.properties = properties;
        }
        plot
    }

    #[test]
    fn nothing_private_is_left_at_any_depth() {
        let policy = DisclosurePolicy::default();
        let mut feature = plot("plots");
        policy.view().disclose(&mut feature);
        assert_eq!(
            Value::Object(feature.properties),
            json!({"crop": "lúa", "survey": {"year": 2024, "visits": [{"day": 3}]}})
        );
        assert_eq!(feature.name, None, "the name is that of the owner");
        assert_eq!(feature.parent.as_deref(), Some("29869"));
        let codes: Vec<_> = feature.codes.into_iter().map(|other| other.code).collect();
        assert_eq!(
            codes,
            ["VN-DTOR-0001"],
            "an identity number is no code for the public"
        );
    }

    #[test]
    fn firms_are_known_by_their_names() {
        let mut firm = plot("businesses");
        DisclosurePolicy::default().view().disclose(&mut firm);
        assert_eq!(firm.name.as_deref(), Some("Nguyễn Văn Bảy"));
        assert!(!firm.properties.contains_key("chu_ho"));
    }

    #[test]
    fn what_the_layer_calls_public_is_shown_and_name_can_be_hidden() {
        let mut shown = plot("plots");
        policy("plots", &["chu_ho"], &[]).view().disclose(&mut shown);
        assert_eq!(shown.name.as_deref(), Some("Nguyễn Văn Bảy"));
        assert!(shown.properties.contains_key("chu_ho"));
        let mut hidden = plot("plots");
        hidden.properties.clear();
        policy("plots", &[], &["name"]).view().disclose(&mut hidden);
        assert_eq!(hidden.name, None);
    }

    #[test]
    fn the_documents_list_the_names() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");
        let page = std::fs::read_to_string(page).expect("the page is there");
        for name in PRIVATE_FIELDS.iter().chain(PUBLIC_NAME_LAYERS) {
            assert!(
                page.contains(&format!("`{name}`")),
                "docs/operations.md does not list `{name}`"
            );
        }
    }
}
