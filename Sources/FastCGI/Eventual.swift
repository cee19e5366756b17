/// Something that is there, or that comes once all who wait for the same thing have said so.
package enum Eventual<Value> {
  /// It is there.
  case now(Value)
  /// To be asked for once, and not before everybody who is to wait along has come.
  case later(() -> Value)

  /// What it is, with nobody else to wait for.
  package var value: Value {
    switch self {
    case .now(let value): value
    case .later(let value): value()
    }
  }

  /// The same with something made of the value, when it is there.
  package func map<Other>(_ transform: @escaping (Value) -> Other) -> Eventual<Other> {
    switch self {
    case .now(let value): .now(transform(value))
    case .later(let value): .later { transform(value()) }
    }
  }
}
