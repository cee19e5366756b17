import CPQ

/// What a connection URL says, with what this program adds, as the keywords of libpq's documentation, section 34.1.2.
struct ConnectionOptions {
  private var values: [(keyword: String, value: String)] = []

  /// Reads a URL or a `key=value` string. The errors quote nothing of it, for it may hold a password, and so does whatever the
  /// parser takes for a host, a port or a database when a `/` or `@` of the password was not percent-encoded.
  init(url: String) throws(PostgresError) {
    guard let options = PQconninfoParse(url, nil) else {
      throw .unreachable(reason: "the connection URL is malformed")
    }
    defer { PQconninfoFree(options) }
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val { set(String(cString: keyword), String(cString: value)) }
      option += 1
    }
    let names = (self["host"] ?? "").dropFirst() + (self["dbname"] ?? "")
    let ports = self["port"] ?? ""
    guard !names.contains("@"), ports.allSatisfy({ $0.isNumber || $0 == "," }) else {
      throw .unreachable(
        reason: "the connection URL is malformed: in a password, / and @ are written as %2F and %40")
    }
  }

  /// Adds what every connection has. A pooler in transaction mode refuses start-up options, so ``sessionSettings`` are only made
  /// where there is none.
  mutating func complete(with timeouts: Timeouts, isPooled: Bool) {
    let milliseconds = String(Int(timeouts.statement * 1000))
    set("client_encoding", "UTF8")
    setDefault("tcp_user_timeout", milliseconds)
    setDefault("fallback_application_name", "tocsin")
    if !isPooled {
      let given = self["options"].map { $0 + " " } ?? ""
      set("options", given + Self.sessionSettings + " -c statement_timeout=" + milliseconds)
    }
  }

  /// A prepared statement is planned once for a connection and not at each use, which for a large one costs more than running it.
  /// The plan outlives the sizes that the tables had then, so it has to go by index even where a table was still small; and in the
  /// index's order, not by a bitmap: a page of a list would have all of the list read and sorted.
  private static let sessionSettings =
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off -c jit=off"

  private subscript(keyword: String) -> String? { values.last { $0.keyword == keyword }?.value }

  private mutating func set(_ keyword: String, _ value: String) {
    values.removeAll { $0.keyword == keyword }
    values.append((keyword, value))
  }

  private mutating func setDefault(_ keyword: String, _ value: String) {
    if self[keyword] == nil { set(keyword, value) }
  }

  /// The same for each host alone, in the order to try them.
  var hosts: [ConnectionOptions] {
    let names = Self.listed(self["host"]), addresses = Self.listed(self["hostaddr"]), ports = Self.listed(self["port"])
    let count = max(names.count, addresses.count)
    // Lists that do not fit each other are left to libpq, which says what is wrong.
    guard count > 1, [0, count].contains(names.count), [0, count].contains(addresses.count),
      [0, 1, count].contains(ports.count)
    else { return [self] }
    let hosts = (0..<count).map { number in
      var host = self
      host.choose("host", number, of: names)
      host.choose("hostaddr", number, of: addresses)
      if ports.count > 1 { host.choose("port", number, of: ports) }
      return host
    }
    guard self["target_session_attrs"] == "prefer-standby" else { return hosts }
    return hosts.map { $0.wanting("standby") } + hosts.map { $0.wanting("any") }
  }

  private static func listed(_ value: String?) -> [String] {
    guard let value, !value.isEmpty else { return [] }
    return value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }

  /// An empty element of a list stands for the default, as an option that is not there does.
  private mutating func choose(_ keyword: String, _ number: Int, of list: [String]) {
    values.removeAll { $0.keyword == keyword }
    if number < list.count, !list[number].isEmpty { values.append((keyword, list[number])) }
  }

  private func wanting(_ session: String) -> ConnectionOptions {
    var host = self
    host.set("target_session_attrs", session)
    return host
  }

  /// Begins to connect, without waiting.
  func startConnecting() -> OpaquePointer? {
    withCStrings(values.map(\.keyword)) { keywords in
      withCStrings(values.map(\.value)) { values in PQconnectStartParams(keywords, values, 0) }
    }
  }
}

/// Calls with an array of C strings that ends in NULL.
private func withCStrings<Value>(
  _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Value
) -> Value {
  var text: [CChar] = []
  var starts: [Int] = []
  for string in strings {
    starts.append(text.count)
    text += string.utf8CString
  }
  return text.withUnsafeBufferPointer { text in
    let pointers = starts.map { start in text.baseAddress.map { $0 + start } } + [nil]
    return pointers.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { preconditionFailure("an array with an element has an address") }
      return body(base)
    }
  }
}
