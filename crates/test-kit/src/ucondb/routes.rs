//! What the server does with a request: endpoints, orders of checks, odd statuses.

use serde_json::{Map, Value};

use super::{
    Front, Shared, lock,
    model::{Folder, NewVersion, Version, full_name},
    record::{record_json, string_json},
    request::{Parameters, Request},
    response::Response,
};

const RECORD_SEPARATOR: char = '\x1e';

/// Carries out one request whose body has been read.
pub(crate) fn answer(shared: &Shared, request: &Request, body: &[u8]) -> Response {
    let (_, after) = request.path.split_once('/').unwrap_or(("", &request.path));
    let (endpoint, rest) = after.split_once('/').unwrap_or((after, ""));
    let parameters = match Parameters::parse(rest, &request.query, shared.front == Front::Apache) {
        Ok(parameters) => parameters,
        Err(message) => return Response::application_error(&message),
    };
    if shared.front == Front::Apache && request.path.to_ascii_lowercase().contains("%2f") {
        return Response::text(404, "<h1>Not Found</h1>");
    }
    let unfiltered = matches!(endpoint, "version" | "probe");
    if let Some(name) = parameters.contain(&['<', '\'', '>', '\\', '|']).filter(|_| !unfiltered) {
        return Response::text(400, &format!("<html><body>Invalid value for {name}</body></html>"));
    }
    let puts = endpoint == "put" || endpoint == "data" && matches!(request.method.as_str(), "POST" | "PUT");
    match endpoint {
        "version" => Response::text(200, "3.9.7"),
        "probe" => Response::text(200, "OK"),
        "folders" => folders(shared),
        "objects" => objects(shared, &parameters),
        "tags" => tags(shared, &parameters),
        "versions" => versions(shared, &parameters),
        "data" | "get" | "put" if parameters.contain(&[';']).is_some() => {
            Response::application_error("Invalid argument value")
        }
        "data" | "put" if puts => put(shared, request, &parameters, body),
        "data" | "get" => get(shared, &parameters),
        "lookup_versions" => lookup_versions(shared, request, &parameters, body),
        "get_blob" => get_blob(shared, &parameters),
        "tag" => tag(shared, &parameters),
        "create_folder" => create_folder(shared, request, &parameters),
        _ => Response::text(404, "Not found"),
    }
}

fn list_json(items: impl Iterator<Item = String>) -> Response {
    let items: Vec<String> = items.map(|item| string_json(&item)).collect();
    Response::json(&format!("[{}]", items.join(", ")))
}

fn folders(shared: &Shared) -> Response {
    let model = lock(&shared.model);
    list_json(model.folders.keys().map(|name| name.strip_prefix("public.").unwrap_or(name).to_owned()))
}

fn objects(shared: &Shared, parameters: &Parameters) -> Response {
    let model = lock(&shared.model);
    let Some((_, folder)) = model.folder(parameters.get("folder").unwrap_or_default()) else {
        return Response::application_error("'NoneType' object has no attribute 'listObjects'");
    };
    let mut names: Vec<String> = folder.versions.iter().map(|version| version.object.clone()).collect();
    names.sort();
    names.dedup();
    list_json(names.into_iter())
}

fn tags(shared: &Shared, parameters: &Parameters) -> Response {
    let model = lock(&shared.model);
    let Some((_, folder)) = model.folder(parameters.get("folder").unwrap_or_default()) else {
        return Response::application_error("'NoneType' object has no attribute 'listTags'");
    };
    // One entry for each tagged version: duplicates stay.
    let mut names: Vec<String> = folder.versions.iter().flat_map(|version| version.tags.iter().cloned()).collect();
    names.sort();
    list_json(names.into_iter())
}

fn versions(shared: &Shared, parameters: &Parameters) -> Response {
    let (name, object) = (parameters.get("folder").unwrap_or_default(), parameters.get("object").unwrap_or_default());
    let model = lock(&shared.model);
    let Some((full, folder)) = model.folder(name) else {
        return Response::text(404, &format!("Folder {name} not found"));
    };
    if !folder.has_object(object) {
        return Response::text(404, &format!("Object {object} not found"));
    }
    let valid_until = match parameters.get("tv").filter(|text| !text.is_empty()).map(str::parse::<f64>) {
        Some(Ok(tv)) => tv,
        Some(Err(_)) => return Response::application_error("could not convert string to float"),
        None => model.now(),
    };
    let mut found: Vec<&Version> =
        folder.versions.iter().filter(|version| version.object == object && version.tv <= valid_until).collect();
    found.sort_by(|a, b| b.tr.total_cmp(&a.tr).then(a.tv.total_cmp(&b.tv)));
    let records: Vec<String> = found.into_iter().map(|version| record_json(&full, version)).collect();
    Response::stream("text/json; charset=UTF-8", format!("[{}]", records.join(", ")).into_bytes())
}

/// Folder and object of a path; the answer if there are not exactly these.
fn folder_and_object(parameters: &Parameters) -> Result<(&str, &str), Response> {
    match parameters.names.as_slice() {
        [folder, object] => Ok((folder, object)),
        [] | [_] => Err(Response::text(400, "")),
        _ => Err(Response::application_error("not enough values to unpack (expected 2, got 1)")),
    }
}

fn put(shared: &Shared, request: &Request, parameters: &Parameters, body: &[u8]) -> Response {
    if let Some(folder) = parameters.names.first() {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        if !folder.chars().all(allowed)
            || folder.matches('.').count() > 1
            || folder.starts_with('.')
            || folder.ends_with('.')
        {
            return Response::application_error("not all arguments converted during string formatting");
        }
        if lock(&shared.model).folder(folder).is_none() {
            return Response::text(404, "Folder not found");
        }
    }
    let (folder, object) = match folder_and_object(parameters) {
        Ok(names) => names,
        Err(response) => return response,
    };
    if let Err(response) =
        lock(&shared.gate).check(request.header("authorization"), &request.method, &full_name(folder))
    {
        return response;
    }
    let tv = match parameters.get("tv").filter(|text| !text.is_empty()).map(str::parse::<f64>) {
        None => 0.0,
        Some(Ok(tv)) => tv,
        Some(Err(_)) => return Response::application_error("could not convert string to float: 'challenge'"),
    };
    let key = parameters.get("key");
    let tags = parameters.all("tag").map(str::to_owned).collect();
    let replaces = parameters.get("override") == Some("yes");
    let stored = lock(&shared.model).put(folder, NewVersion { object, key, tags, tv, replaces, data: body });
    let Some(version) = stored else {
        let key = key.unwrap_or_default();
        return Response::application_error(&format!("Version of object {object} with key {key} already exists"));
    };
    if parameters.get("full_meta") == Some("yes") {
        return Response::json(&record_json(&full_name(folder), &version));
    }
    Response::text(200, &version.id.to_string())
}

fn get(shared: &Shared, parameters: &Parameters) -> Response {
    let (name, object) = match folder_and_object(parameters) {
        Ok(names) => names,
        Err(response) => return response,
    };
    let model = lock(&shared.model);
    let Some((full, folder)) = model.folder(name) else {
        return Response::application_error("'NoneType' object has no attribute 'getObject'");
    };
    if let Some(data_key) = parameters.get("data_key").filter(|_| parameters.get("id").is_none()) {
        return blob_answer(folder, data_key);
    }
    let by_id = parameters.get("id");
    if by_id.is_none() && !folder.has_object(object) {
        return Response::application_error("'NoneType' object has no attribute 'getVersion'");
    }
    let found = select(folder, object, parameters, model.now());
    let meta_only = parameters.get("meta_only") == Some("yes");
    match (found, by_id) {
        (None, Some(_)) if meta_only => Response::json("{}"),
        (None, Some(_)) => Response::application_error("'NoneType' object has no attribute 'Data'"),
        (None, None) => Response::text(404, "Version not found"),
        (Some(version), _) if meta_only => Response::json(&record_json(&full, version)),
        (Some(version), _) => version_answer(&full, folder, version),
    }
}

/// The version that the selectors of a get mean: `id`, else `key`, else `tag`, else the newest.
fn select<'a>(folder: &'a Folder, object: &str, parameters: &Parameters, now: f64) -> Option<&'a Version> {
    if let Some(id) = parameters.get("id") {
        return folder.versions.iter().find(|version| version.id.to_string() == id);
    }
    let mut of_object = folder.versions.iter().filter(|version| version.object == object);
    if let Some(key) = parameters.get("key") {
        return of_object.find(|version| version.key.as_deref() == Some(key));
    }
    let valid_until = match (parameters.get("tag"), parameters.get("tv").map(str::parse)) {
        (None, Some(Ok(tv))) => tv,
        _ => now,
    };
    of_object
        .filter(|version| {
            parameters.get("tag").is_none_or(|tag| version.tags.contains(tag)) && version.tv <= valid_until
        })
        .max_by(|a, b| a.tr.total_cmp(&b.tr).then(a.tv.total_cmp(&b.tv)))
}

fn version_answer(full: &str, folder: &Folder, version: &Version) -> Response {
    let data = folder.blob(version.data_key).unwrap_or_default().to_vec();
    Response::stream("application/octet-stream", data)
        .with_header("X-UConDB-product-version", "3.9.7".to_owned())
        .with_header("X-UConDB-version-id", version.id.to_string())
        .with_header("X-UConDB-data-key", version.data_key.to_string())
        .with_header("X-UConDB-version-key", version.key.clone().unwrap_or_else(|| "null".to_owned()))
        .with_header("X-UConDB-data-size", version.data_size.to_string())
        .with_header("X-UConDB-adler32", version.adler32.to_string())
        .with_header("X-UConDB-metadata", record_json(full, version))
        .with_header("X-UConDB-metadata-format", "text/json".to_owned())
}

fn blob_answer(folder: &Folder, data_key: &str) -> Response {
    let Ok(number) = data_key.parse() else {
        return Response::application_error("invalid input syntax for type bigint");
    };
    match folder.blob(number) {
        Some(data) => Response::stream("application/octet-stream", data.to_vec())
            .with_header("X-UConDB-data-key", data_key.to_owned()),
        None => Response::text(404, "Data not found"),
    }
}

fn get_blob(shared: &Shared, parameters: &Parameters) -> Response {
    let name = parameters.names.first().map(String::as_str).or(parameters.get("folder")).unwrap_or_default();
    let model = lock(&shared.model);
    let Some((_, folder)) = model.folder(name) else {
        return Response::text(404, &format!("Folder {name} not found"));
    };
    match (parameters.get("data_key"), parameters.get("version_id")) {
        (Some(data_key), None) => blob_answer(folder, data_key),
        (None, Some(id)) => match folder.versions.iter().find(|version| version.id.to_string() == id) {
            Some(version) => blob_answer(folder, &version.data_key.to_string()),
            None => Response::text(404, "Version not found"),
        },
        _ => Response::text(400, "One and only one of data_key, version_id must be specified"),
    }
}

fn lookup_versions(shared: &Shared, request: &Request, parameters: &Parameters, body: &[u8]) -> Response {
    let path = |at: usize| parameters.names.get(at).map(String::as_str);
    let name = path(0).or(parameters.get("folder")).unwrap_or_default();
    let object = path(1).or(parameters.get("object"));
    let model = lock(&shared.model);
    let Some((full, folder)) = model.folder(name) else {
        return Response::text(404, &format!("Folder {name} not found"));
    };
    if let Some(object) = object.filter(|object| !folder.has_object(object)) {
        return Response::text(404, &format!("Object {object} not found"));
    }
    let Some(Value::Object(asked)) = serde_json::from_slice(body).ok().filter(|_| request.method == "POST") else {
        return Response::application_error("");
    };
    let selected = match selected_versions(folder, object, &asked) {
        Ok(selected) => selected,
        Err(message) => return Response::application_error(message),
    };
    let mut records = String::new();
    for version in selected {
        records.push(RECORD_SEPARATOR);
        records.push_str(&record_json(&full, version));
        records.push('\n');
    }
    Response::stream("text/json-seq; charset=UTF-8", records.into_bytes())
}

/// The versions that a lookup asks for: by `ids`, else by `keys`, else by a range of keys; or the server's complaint.
fn selected_versions<'a>(
    folder: &'a Folder,
    object: Option<&str>,
    asked: &Map<String, Value>,
) -> Result<Vec<&'a Version>, &'static str> {
    const EMPTY: &str = "'NoneType' object is not iterable";
    if let Some(ids) = asked.get("ids").and_then(Value::as_array) {
        let wanted = |version: &&Version| ids.contains(&Value::from(version.id));
        return if ids.is_empty() { Err(EMPTY) } else { Ok(folder.versions.iter().filter(wanted).collect()) };
    }
    let object = object.ok_or("Object name must be specified")?;
    let keys = asked.get("keys").and_then(Value::as_array);
    let (low, high) = (asked.get("key_min").and_then(Value::as_str), asked.get("key_max").and_then(Value::as_str));
    if keys.is_none_or(Vec::is_empty) && low.is_none() && high.is_none() {
        return Err(EMPTY);
    }
    let wanted = |key: &str| match keys {
        Some(keys) => keys.iter().any(|wanted| wanted == key),
        // Text comparison: "1000" < "999".
        None => low.is_none_or(|low| low <= key) && high.is_none_or(|high| key < high),
    };
    let of_object = folder.versions.iter().filter(|version| version.object == object);
    Ok(of_object.filter(|version| version.key.as_deref().is_some_and(wanted)).collect())
}

/// Tags a version; the genuine server asks nobody for a password here.
fn tag(shared: &Shared, parameters: &Parameters) -> Response {
    let (Some(name), Some(tag)) = (parameters.get("folder"), parameters.get("tag")) else {
        return Response::application_error("");
    };
    let mut model = lock(&shared.model);
    let Some(folder) = model.folders.get_mut(&full_name(name)) else {
        return Response::application_error("Folder not found");
    };
    let found = folder.versions.iter_mut().find(|version| match parameters.get("version_id") {
        Some(id) => version.id.to_string() == id,
        None => parameters.get("object") == Some(&version.object) && version.key.as_deref() == parameters.get("key"),
    });
    let Some(version) = found else {
        return Response::application_error("Version not found");
    };
    version.tags.insert(tag.to_owned());
    Response::text(200, "OK")
}

fn create_folder(shared: &Shared, request: &Request, parameters: &Parameters) -> Response {
    let Some(name) = parameters.get("folder").filter(|name| !name.is_empty()) else {
        return Response::text(400, "Empty folder name");
    };
    // The realm is the name as given, unlike that of a put.
    if let Err(response) = lock(&shared.gate).check(request.header("authorization"), &request.method, name) {
        return response;
    }
    let mut model = lock(&shared.model);
    // Upper case is lost on the way to the database.
    let folder = model.folders.entry(full_name(&name.to_ascii_lowercase())).or_default();
    if parameters.get("drop") == Some("yes") {
        *folder = Folder::default();
    }
    Response::text(200, "OK")
}
