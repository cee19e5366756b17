/// What must stand in any text that a pattern matches, so that the pattern need not be tried on the others.
///
/// The pattern is one that RE2 has accepted. Where its syntax says nothing certain, nothing is required.
struct RequiredTexts {
  /// Each is a set of texts of which one must be there once case is folded. Empty where nothing is known.
  let choices: [[String]]

  /// More texts than this are not looked for on behalf of one pattern.
  private static let limit = 64

  init(of pattern: String) {
    var reader = Reader(pattern)
    let choices = reader.alternation()
    self.choices = reader.isAtEnd && !reader.isLost ? choices.map { $0.map { CaseFolding.folded($0) } } : []
  }

  /// One part of a branch.
  private enum Part {
    case literal(Unicode.Scalar)
    case group([[String]])
    /// Anything, perhaps nothing.
    case unknown
  }

  private struct Reader {
    private let scalars: [Unicode.Scalar]
    private var index = 0
    /// Whether there was something that this reader does not know.
    private(set) var isLost = false

    init(_ pattern: String) { scalars = Array(pattern.unicodeScalars) }

    var isAtEnd: Bool { index == scalars.count }

    private var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
      guard next == scalar else { return false }
      index += 1
      return true
    }

    /// Reads branches up to the end of a group or of the pattern.
    mutating func alternation() -> [[String]] {
      var branches: [[[String]]] = []
      repeat { branches.append(RequiredTexts.choices(branch())) } while take("|")
      guard branches.count > 1 else { return branches[0] }
      var texts: [String] = []
      for choices in branches {
        guard let longest = choices.max(by: { shortest($0) < shortest($1) }) else { return [] }
        texts += longest
      }
      return texts.count <= limit ? [texts] : []
    }

    private func shortest(_ texts: [String]) -> Int { texts.map(\.utf8.count).min() ?? 0 }

    private mutating func branch() -> [Part] {
      var parts: [Part] = []
      while let scalar = next, scalar != "|", scalar != ")" {
        index += 1
        switch scalar {
        case "(": group(&parts)
        case "[": skipClass(&parts)
        case "\\": escape(&parts)
        case ".", "^", "$": parts.append(.unknown)
        case "*", "?": quantify(&parts, isOptional: true)
        case "+": quantify(&parts, isOptional: false)
        case "{":
          if let isOptional = takeRepeat() {
            quantify(&parts, isOptional: isOptional)
          } else {
            parts.append(.literal(scalar))
          }
        default: parts.append(.literal(scalar))
        }
      }
      return parts
    }

    /// What was read last may be missing, or come more than once.
    private mutating func quantify(_ parts: inout [Part], isOptional: Bool) {
      _ = take("?")
      if isOptional { _ = parts.popLast() }
      parts.append(.unknown)
    }

    /// Reads what follows the brace of `{2}`, `{2,}` or `{2,3}` and tells whether none is enough; nil where the brace is only
    /// a character.
    private mutating func takeRepeat() -> Bool? {
      let start = index
      let least = takeNumber()
      if least != nil, take(",") { _ = next == "}" ? 0 : takeNumber() }
      if let least, take("}") { return least == 0 }
      index = start
      return nil
    }

    private mutating func takeNumber() -> Int? {
      let start = index
      while let digit = next, ("0"..."9").contains(digit) { index += 1 }
      let digits = scalars[start..<index]
      guard let first = digits.first, first != "0" || digits.count == 1 else { return nil }
      return digits.reduce(0) { min($0 * 10 + Int($1.value - 0x30), 1000) }
    }

    private mutating func group(_ parts: inout [Part]) {
      if take("?") {
        if next == "P" || next == "<" {
          skip(past: ">")
        } else {
          while let flag = next, flag != ":", flag != ")" { index += 1 }
          if take(")") { return }
          index += 1
        }
      }
      parts.append(.group(alternation()))
      if !take(")") { isLost = true }
    }

    private mutating func skip(past scalar: Unicode.Scalar) {
      while let other = next {
        index += 1
        if other == scalar { return }
      }
      isLost = true
    }

    /// Passes over a class of characters; a bracket that comes first is one of them.
    private mutating func skipClass(_ parts: inout [Part]) {
      parts.append(.unknown)
      _ = take("^")
      _ = take("]")
      while let scalar = next, scalar != "]" {
        index += 1
        if scalar == "\\" {
          index += 1
        } else if scalar == "[", next == ":", let end = endOfName() {
          index = end
        }
      }
      if !take("]") { isLost = true }
    }

    /// The place behind a name such as `:alpha:]`.
    private func endOfName() -> Int? {
      var place = index + 1
      while place + 1 < scalars.count {
        if scalars[place] == ":", scalars[place + 1] == "]" { return place + 2 }
        place += 1
      }
      return nil
    }

    private mutating func escape(_ parts: inout [Part]) {
      guard let scalar = next else {
        isLost = true
        return
      }
      index += 1
      switch scalar {
      case "Q":
        quotation(&parts)
        return
      case "x", "p", "P":
        if take("{") { skip(past: "}") } else { index += scalar == "x" ? 2 : 1 }
      case "0"..."7":
        for _ in 0..<2 { if let digit = next, ("0"..."7").contains(digit) { index += 1 } }
      case "A", "B", "C", "D", "S", "W", "a", "b", "d", "f", "n", "r", "s", "t", "v", "w", "z":
        break
      case "a"..."z", "A"..."Z", "8", "9", "_", "\u{80}"...:
        isLost = true
      default:
        parts.append(.literal(scalar))
        return
      }
      parts.append(.unknown)
    }

    /// Reads characters up to `\E`.
    private mutating func quotation(_ parts: inout [Part]) {
      while let scalar = next {
        index += 1
        if scalar == "\\", take("E") { return }
        parts.append(.literal(scalar))
      }
    }
  }

  /// Each stretch of literals in a branch, and what its groups require.
  private static func choices(_ parts: [Part]) -> [[String]] {
    var choices: [[String]] = []
    var stretch = ""
    for part in parts + [.unknown] {
      if case .literal(let scalar) = part {
        stretch.unicodeScalars.append(scalar)
        continue
      }
      if !stretch.isEmpty { choices.append([stretch]) }
      stretch = ""
      if case .group(let required) = part { choices += required }
    }
    return choices
  }
}

/// What is looked for in place of the patterns of a set of predicates.
struct PatternTexts {
  private struct Use: Hashable {
    let field: Int32
    let text: String
  }

  private var texts: [Int32: [[String]]] = [:]

  /// For one pattern it is enough to look for so many of the texts that it requires.
  private static let limit = 3
  /// What more than so many patterns require is passed over where there is something rarer: an event that has it would cost
  /// as much as there are patterns.
  private static let frequencyLimit = 8.0
  /// A pattern that requires only what is more frequent than this is searched for with others like it, in a ``PatternSet``.
  private static let usefulFrequency = 64.0

  /// Chooses for each pattern texts that few patterns of the same field may require, and no short ones.
  init(_ registry: borrowing PredicateRegistry) {
    var patterns: [(predicate: Int32, choices: [[String]])] = []
    var uses: [Use: Int] = [:]
    for number in registry.predicates.indices {
      guard case .matches(let pattern) = registry.predicates[number] else { continue }
      let choices = RequiredTexts(of: pattern.text).choices
      patterns.append((Int32(number), choices))
      for text in choices.joined() { uses[Use(field: registry.fields[number], text: text), default: 0] += 1 }
    }
    for (predicate, choices) in patterns where !choices.isEmpty {
      let field = registry.fields[Int(predicate)]
      var rated = choices.map { texts in
        (
          texts: texts,
          frequency: texts.reduce(0) { sum, text in
            sum + Double(uses[Use(field: field, text: text)] ?? 1) * Self.frequency(ofLength: text.utf8.count)
          }
        )
      }
      rated.sort { $0.frequency < $1.frequency }
      guard rated[0].frequency <= Self.usefulFrequency else { continue }
      let rare = rated.prefix(Self.limit).prefix { $0.frequency <= Self.frequencyLimit }
      texts[predicate] = (rare.isEmpty ? rated.prefix(1) : rare).map(\.texts)
    }
  }

  /// How often texts of so many bytes are found, by and large, beside long ones.
  private static func frequency(ofLength count: Int) -> Double {
    switch count {
    case 1: 1000
    case 2: 100
    case 3: 10
    default: 1
    }
  }

  /// Sets of texts of each of which one must be in a text, with case folded, for the predicate's pattern to match; nil if there
  /// are none that are rare.
  subscript(predicate: Int32) -> [[String]]? { texts[predicate] }
}
