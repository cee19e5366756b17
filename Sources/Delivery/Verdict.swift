/// What a reply means for a delivery. Reasons are for a person, without secrets.
package enum Verdict: Sendable, Equatable {
  /// The receiver has it. A remark says what is nevertheless worth knowing, such as a recipient that does not exist.
  case sent(remark: String?)
  /// Some recipients have it; the others, who were refused for now, are to be tried again.
  case sentToSome(remaining: [String], reason: String)
  /// Not now: try again, but not before `after` seconds where the receiver asked for that.
  case retry(after: Int?, reason: String)
  /// Never: the same transfer would be refused again.
  case rejected(reason: String)
  /// Never, and nothing else either: the receiver says that it is no more.
  case gone(reason: String)
}
