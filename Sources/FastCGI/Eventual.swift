/// Something that is still to be done, and its result: by itself, or together with others.
package enum Eventual<Value> {
  /// By itself, and not before those that wait have theirs: it may take long.
  case alone(() -> Value)
  /// It is done once for all who wait for the like, and not before all of them have come.
  case together(() -> Value)

  /// The result, with nobody else to wait for.
  package var value: Value {
    switch self {
    case .alone(let value), .together(let value): value()
    }
  }

  /// The same with something made of the result.
  package func map<Other>(_ transform: @escaping (Value) -> Other) -> Eventual<Other> {
    around { transform($0()) }
  }

  /// The same with something done around it, when it is its turn.
  package func around<Other>(_ body: @escaping (() -> Value) -> Other) -> Eventual<Other> {
    switch self {
    case .alone(let value): .alone { body(value) }
    case .together(let value): .together { body(value) }
    }
  }
}
