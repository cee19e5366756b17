import FastCGI

extension Request {
  /// The longest content of a request that is answered together with others, in bytes.
  private static let quickSize = 1 << 14

  /// Whether it is soon dealt with, so that others may be answered together with it: it brings little, and does not ask to wait.
  package var isQuick: Bool {
    (body.announcedCount.map { $0 <= Self.quickSize } ?? false) && prefer == nil
  }

  /// Whether it may be answered together with one that waits: it is quick, and the same is asked with the same key.
  func joins(_ waiting: Request) -> Bool {
    isQuick && authorization == waiting.authorization && path == waiting.path && query == waiting.query
      && method == waiting.method
  }
}
