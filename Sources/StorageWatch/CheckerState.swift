import JSON

/// All that the checker must know after a crash or a reboot. It is kept outside the storage that it is about.
package struct CheckerState: Sendable, Equatable {
  /// Whether the storage is usable.
  package var watch = StorageWatch()
  /// What the hooks have yet to be told.
  package var backlog = HookBacklog()

  /// Where nothing is known yet.
  package init() {}

  /// The form that the file has.
  private static let version = 1

  /// Reads the content of the file.
  package init(bytes: [UInt8]) throws {
    var reader = try ObjectReader(JSONValue(parsing: bytes))
    reader.require("version")
    _ = reader.integer("version", in: Self.version...Self.version)
    watch = StorageWatch(outage: reader.nested("outage", StorageOutage.init(json:)))
    var backlog = HookBacklog()
    reader.require("hooks")
    _ = reader.elements("hooks", count: 0...10_000) { (json) throws(JSONFaults) in try backlog.restore(json: json) }
    try reader.finish()
    self.backlog = backlog
  }
}

extension CheckerState: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    writer.object { members in
      members.add("version", Self.version)
      members.add("outage", watch.outage)
      members.add("hooks", backlog)
    }
  }
}
