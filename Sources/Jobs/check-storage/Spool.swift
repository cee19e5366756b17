/// Where events are kept while the storage is away.
enum Spool {
  /// How many events have been kept there since a moment, in seconds since 1970-01-01T00:00:00Z: the `events_affected` of an
  /// outage that began then. Nothing is kept anywhere yet.
  static func eventCount(since moment: Int) -> Int { 0 }
}
