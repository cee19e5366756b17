/// Texts that must not appear in anything that is told about a provider.
struct Secrets {
  /// Shorter ones are let through: they would mask innocent words.
  private static let shortest = 8

  private let texts: [String]

  /// The secrets, with those parts and spellings of them that a receiver may quote: the words of one (what follows `Bearer`),
  /// the path of a URL, slashes as JSON may escape them, and base64, in which passwords go to mail servers. The longest are
  /// masked first, lest a part of one stay behind.
  init(_ secrets: [String]) {
    let parts = secrets + secrets.flatMap { $0.split(separator: " ").map(String.init) } + secrets.compactMap(Self.path)
    let escaped = parts.filter { $0.contains("/") }.map { $0.replacing("/", with: "\\/") }
    let spellings = parts + escaped + secrets.map { Base64.encoded(Array($0.utf8)) }
    texts = Set(spellings).filter { $0.utf8.count >= Self.shortest }.sorted { $0.utf8.count > $1.utf8.count }
  }

  /// Path and query of a URL.
  private static func path(of url: String) -> String? {
    guard let scheme = url.firstRange(of: "://") else { return nil }
    return url[scheme.upperBound...].firstIndex(of: "/").map { String(url[$0...]) }
  }

  /// The text with a mask for each secret. Where the text was cut, its end may be the beginning of a secret, which is masked too.
  func masked(in text: String, isCut: Bool = false) -> String {
    let masked = texts.reduce(text) { $0.contains($1) ? $0.replacing($1, with: Provider.mask) : $0 }
    guard isCut, let length = texts.lazy.compactMap({ Self.overlap(of: masked, with: $0) }).max() else { return masked }
    return String(decoding: masked.utf8.dropLast(length), as: UTF8.self) + Provider.mask
  }

  /// How many bytes at the end of a text are the beginning of a secret; nil for fewer than four.
  private static func overlap(of text: String, with secret: String) -> Int? {
    let longest = min(text.utf8.count, secret.utf8.count - 1)
    guard longest >= 4 else { return nil }
    return (4...longest).last { text.utf8.suffix($0).elementsEqual(secret.utf8.prefix($0)) }
  }
}
