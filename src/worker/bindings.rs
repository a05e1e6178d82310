//! What the bindings hold: texts, and JSON variables. `Env::secret` and `Env::object_var` would do, but
//! bring along a deserializer and the texts of errors that nobody reads.

use js_sys::{Array, JSON, Number, Object, Reflect};
use serde_json::{Map, Value};
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

/// Whether a member is a binding that has to be asked for its text, as one of a Secrets Store is.
pub fn is_asked_for(of: &JsValue, name: &str) -> bool {
    let getter = member(of, name).and_then(|binding| member(&binding, "get"));
    getter.is_some_and(|getter| getter.is_function())
}

/// What JavaScript writes of a value as JSON.
pub fn stringified(value: &JsValue) -> Option<String> {
    JSON::stringify(value).ok()?.as_string()
}

/// What the runtime made of a JSON variable.
pub fn json(js: &JsValue) -> Value {
    if let Some(flag) = js.as_bool() {
        flag.into()
    } else if let Some(number) = js.as_f64() {
        if Number::is_safe_integer(js) {
            (number as i64).into() // which JSON tells from 60.0 and JavaScript does not
        } else {
            number.into()
        }
    } else if let Some(text) = js.as_string() {
        text.into()
    } else if let Some(list) = js.dyn_ref::<Array>() {
        list.iter().map(|entry| json(&entry)).collect()
    } else if js.is_object() {
        table(js.unchecked_ref()).into()
    } else {
        Value::Null
    }
}

fn table(js: &Object) -> Map<String, Value> {
    let mut table = Map::new(); // collected, it would bring sorting along
    for name in Object::keys(js) {
        let name = name.as_string().unwrap_or_default(); // the name of a field is a text
        let value = member(js, &name).map_or(Value::Null, |value| json(&value));
        table.insert(name, value);
    }
    table
}
