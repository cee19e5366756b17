/// Texts that must not appear in anything that is told about a provider.
struct Secrets: Sendable {
  /// Shorter ones are let through: they would mask innocent words.
  private static let shortest = 6
  /// Shorter ones are masked only where they stand as words of their own.
  private static let shortestInWords = 8
  /// Shorter ones are let through in base64 too.
  private static let shortestInBase64 = 4
  /// Shorter words of a URL's path are let through: they are its makers' words, such as `services`.
  private static let shortestInPaths = 16
  /// Fewer bytes at the end of a text that was cut are not taken for the beginning of a secret.
  private static let shortestBeginning = 4

  private let texts: Set<[UInt8]>
  /// What the texts are within anything that is base64.
  private let encodedTexts: Set<[UInt8]>

  /// The secrets, with those parts of them that a receiver may quote.
  init(_ secrets: [String]) {
    let all = Set(secrets + secrets.flatMap(Self.parts)).map { Array($0.utf8) }
    texts = Set(all.filter { $0.count >= Self.shortest })
    encodedTexts = Set(all.filter { $0.count >= Self.shortestInBase64 }.flatMap(Base64.cores))
  }

  /// The words of a secret (what follows `Bearer`, the value of a cookie), the credentials that are its words, path, query and long
  /// words of a URL, and a signing secret without its mark.
  private static func parts(of secret: String) -> [String] {
    guard let scheme = secret.firstRange(of: "://") else {
      let words = secret.split { " ,;:=\"".contains($0) }.map(String.init)
      return words + credentials(of: secret) + (secret.hasPrefix("whsec_") ? [String(secret.dropFirst(6))] : [])
    }
    guard let path = secret[scheme.upperBound...].firstIndex(of: "/") else { return [] }
    let words = secret[path...].split { "/?&=#".contains($0) }.filter { $0.utf8.count >= shortestInPaths }
    return [String(secret[path...])] + words.map(String.init)
  }

  /// User name and password together, and the password, of `Basic …` (RFC 7617).
  private static func credentials(of secret: String) -> [String] {
    let words = secret.split(separator: " ")
    guard words.count == 2, words[0].lowercased() == "basic", let bytes = Base64.decoded(String(words[1])) else {
      return []
    }
    let pair = String(decoding: bytes, as: UTF8.self)
    return [pair] + pair.split(separator: ":", maxSplits: 1).dropFirst().map(String.init)
  }

  /// The body of an answer, as much of it as there is, with a mask for each secret.
  func masked(in reply: HTTPReply) -> String { masked(in: reply.body, isCut: reply.body.count == HTTPReply.bodyLimit) }

  /// The text with a mask for each secret.
  func masked(in text: String) -> String { masked(in: Array(text.utf8)) }

  /// The text with a mask for each secret, however it is spelled. Where the text was cut, its end may be the beginning of a secret,
  /// which is masked too.
  func masked(in text: [UInt8], isCut: Bool = false) -> String {
    var isSecret = [Bool](repeating: false, count: text.count)
    for reading in Reading.all(of: text) {
      for range in secretRanges(in: reading.bytes, isCut: isCut) {
        for place in reading.places(of: range) { isSecret[place] = true }
      }
    }
    var masked = ""
    var rest = text.indices[...]
    while let first = rest.first {
      let part = rest.prefix { isSecret[$0] == isSecret[first] }
      masked += isSecret[first] ? Provider.mask : String(decoding: text[part], as: UTF8.self)
      rest = rest.dropFirst(part.count)
    }
    return masked
  }

  private func secretRanges(in bytes: [UInt8], isCut: Bool) -> [Range<Int>] {
    let plain = texts.flatMap { secret in
      ranges(of: secret, in: bytes, isCut).filter { secret.count >= Self.shortestInWords || bytes.isWord($0) }
    }
    // The characters around it hold bits of it, and of what else is secret, such as the user name.
    let encoded = encodedTexts.flatMap { ranges(of: $0, in: bytes, isCut).map(bytes.base64Word) }
    return plain + encoded
  }

  private func ranges(of secret: [UInt8], in bytes: [UInt8], _ isCut: Bool) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    while let first = bytes[start...].firstIndex(of: secret[0]) {
      let end = first + secret.count
      if end <= bytes.count, bytes[first..<end].elementsEqual(secret) {
        ranges.append(first..<end)
      } else if isCut, end > bytes.count, bytes.count - first >= Self.shortestBeginning,
        secret.starts(with: bytes[first...])
      {
        ranges.append(first..<bytes.count)
      }
      start = first + 1
    }
    return ranges
  }
}

extension Base64 {
  /// What a text's base64 has in it wherever the text stands in what is encoded: for each way in which the bytes before it may
  /// fall, the characters that hold bits of the text alone.
  fileprivate static func cores(of text: [UInt8]) -> [[UInt8]] {
    (0...2).map { before in
      let encoded = Array(encoded([UInt8](repeating: 0, count: before) + text).utf8)
      return Array(encoded[(before * 8 + 5) / 6..<(before + text.count) * 8 / 6])
    }
  }
}

extension [UInt8] {
  /// Whether neither a letter nor a digit stands before or behind a range.
  fileprivate func isWord(_ range: Range<Int>) -> Bool {
    let before = range.lowerBound > 0 && self[range.lowerBound - 1].isLetterOrDigit
    let behind = range.upperBound < count && self[range.upperBound].isLetterOrDigit
    return !before && !behind
  }

  /// The base64 that a range is part of, with its padding.
  fileprivate func base64Word(around range: Range<Int>) -> Range<Int> {
    func isPart(_ byte: UInt8) -> Bool { byte.isLetterOrDigit || "+/-_".utf8.contains(byte) }
    let before = self[..<range.lowerBound].reversed().prefix(while: isPart).count
    let behind = self[range.upperBound...].prefix(while: isPart).count
    let padding = self[(range.upperBound + behind)...].prefix(2).prefix { $0 == UInt8(ascii: "=") }.count
    return range.lowerBound - before..<range.upperBound + behind + padding
  }
}
