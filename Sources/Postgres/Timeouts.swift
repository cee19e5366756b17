/// How long a connection waits for its server before it counts as unreachable.
package struct Timeouts: Sendable {
  /// For connecting, however many hosts there are to try, in seconds.
  package var connect = 1.5
  /// For one statement from sending it to its last row, in seconds.
  package var statement = 10.0
  /// After how many seconds without a byte of an answer to find out whether the server is only busy or has stopped.
  let silence = 0.7
  /// How long it has for that.
  let signOfLife = 1.0

  /// The usual ones: 1.5 s and 10 s, or about 2 s where the server has stopped.
  package init() {}
}
