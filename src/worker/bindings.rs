//! What the bindings hold: texts, and JSON variables. `Env::secret` and `Env::object_var` would do, but
//! bring along a deserializer and the texts of errors that nobody reads.

use js_sys::{Array, Number, Object, Reflect};
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue};

/// A member of an object, where it is set.
pub fn member(of: &JsValue, name: &str) -> Option<JsValue> {
    let member = Reflect::get(of, &name.into()).ok()?;
    (!member.is_undefined()).then_some(member)
}

/// A member that is a text.
pub fn text(of: &JsValue, name: &str) -> Option<String> {
    member(of, name)?.as_string()
}

/// What the runtime made of a JSON variable.
pub fn json(js: &JsValue) -> Value {
    if let Some(flag) = js.as_bool() {
        flag.into()
    } else if let Some(number) = js.as_f64() {
        match Number::is_safe_integer(js) {
            true => (number as i64).into(), // which JSON tells from 60.0 and JavaScript does not
            false => number.into(),
        }
    } else if let Some(text) = js.as_string() {
        text.into()
    } else if let Some(list) = js.dyn_ref::<Array>() {
        list.iter().map(|entry| json(&entry)).collect()
    } else if js.is_object() {
        let names = Object::keys(js.unchecked_ref::<Object>()).into_iter();
        names.filter_map(|name| field(js, &name)).collect()
    } else {
        Value::Null
    }
}

fn field(table: &JsValue, name: &JsValue) -> Option<(String, Value)> {
    let name = name.as_string()?;
    let value = json(&member(table, &name)?);
    Some((name, value))
}
