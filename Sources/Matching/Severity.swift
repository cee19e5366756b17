/// How grave an alert is, as its policy says.
package enum Severity: String, CaseIterable, Sendable {
  case critical, high, medium, low, info
}
