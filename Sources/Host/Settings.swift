/// A setting that says nothing sensible.
package struct InvalidSetting: Error, Equatable, CustomStringConvertible {
  /// What is wrong, and what would be right.
  package let description: String

  /// The error for a variable.
  package init(_ name: String, _ reason: String) { description = "\(name): \(reason)" }
}

extension Environment {
  /// The folder for what a host must know while its database is away: `ALERTING_STATE_DIRECTORY`, by default `/var/lib/tocsin`.
  package static var stateDirectory: String {
    self["ALERTING_STATE_DIRECTORY"].flatMap { $0.isEmpty ? nil : $0 } ?? "/var/lib/tocsin"
  }

  /// The whole number that a variable says, of units that are told to a person, or the usual one where it is not set or empty.
  package static func number(
    _ name: String, of unit: String, in range: ClosedRange<Int>, usual: Int
  ) throws(InvalidSetting) -> Int {
    guard let text = self[name], !text.isEmpty else { return usual }
    guard let number = Int(text), range.contains(number) else {
      throw InvalidSetting(
        name, "\"\(text)\" is no whole number of \(unit) from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// For how many seconds a job runs before its next start takes over: almost a minute by default, so that a start each minute
  /// leaves no gap. 0 is until it is asked to end, nil here.
  package static func jobSeconds(_ name: String) throws(InvalidSetting) -> Double? {
    let seconds = try number(name, of: "seconds", in: 0...86_400, usual: 55)
    return seconds == 0 ? nil : Double(seconds)
  }
}
