import FastCGI
import Postgres
import Store

/// Who sends a request as it was when the key was looked up last, less than a minute ago. It has no effect and no answer before
/// the database has been asked, but it can be asked together with something else.
package final class Presumption {
  let caller: Caller
  /// The key.
  package let key: KeyDigest
  private let ask: () throws -> Caller
  private var confirmed: Caller?

  init(_ caller: Caller, key: KeyDigest, ask: @escaping () throws -> Caller) {
    self.caller = caller
    self.key = key
    self.ask = ask
  }

  /// Who it is. Throws the problem of a caller that is not let in any more.
  func confirmedCaller() throws -> Caller {
    if let confirmed { return confirmed }
    let caller = try ask()
    confirmed = caller
    return caller
  }

  /// Throws if the caller is not let in any more, and so is to be told nothing else. Where nobody can tell now, it is.
  func check() throws {
    do {
      _ = try confirmedCaller()
    } catch let error as PostgresError where error.isUnreachable {}
  }
}
