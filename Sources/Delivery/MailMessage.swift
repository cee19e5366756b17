/// A mail of plain text and HTML: RFC 5322 with MIME, RFC 2045 and 2046.
struct MailMessage {
  /// What the `Message-ID` is made of: the same for every attempt, so that receivers can drop a repeat.
  let id: String
  /// The ``id`` of the mail that this one follows.
  let threadID: String?
  let date: CivilTime
  let sender: String
  let recipients: [String]
  let subject: String
  let alertID: String
  let text: String
  let html: String

  /// The whole message, lines ended by CR LF and none longer than 998 bytes.
  var bytes: [UInt8] {
    let domain = sender.split(separator: "@").last ?? "localhost"
    // Base64 has no '-', so no line of a part can be mistaken for the boundary.
    let boundary = "=_\(id)"
    let thread = threadID.map { ["In-Reply-To: <\($0)@\(domain)>", "References: <\($0)@\(domain)>"] } ?? []
    let lines =
      ["Date: \(date.mailDate)", "Message-ID: <\(id)@\(domain)>"] + thread + [
        "From: <\(sender)>",
        "To: " + recipients.map { "<\($0)>" }.joined(separator: ",\r\n "),
        "Subject: " + EncodedWords.header(subject),
        // RFC 3834: nobody's out-of-office reply should answer this.
        "Auto-Submitted: auto-generated", "X-Tocsin-Alert-ID: \(EncodedWords.header(alertID))",
        "MIME-Version: 1.0", "Content-Type: multipart/alternative; boundary=\"\(boundary)\"", "",
      ] + part("text/plain", text, boundary) + part("text/html", html, boundary) + ["--\(boundary)--", ""]
    return Array(lines.joined(separator: "\r\n").utf8)
  }

  private func part(_ type: String, _ content: String, _ boundary: String) -> [String] {
    let lines = Array(content.utf8).slices(of: 57).map(Base64.encoded)
    return [
      "--\(boundary)", "Content-Type: \(type); charset=utf-8", "Content-Transfer-Encoding: base64", "",
    ] + lines
  }
}

/// Text in a mail header, RFC 2047.
enum EncodedWords {
  /// The text as it is if it is short printable ASCII, else as encoded words of at most 75 characters, one a line.
  static func header(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?") && text.utf8.count <= 200
    if isPlain { return text }
    var words: [[UInt8]] = [[]]
    for scalar in text.inOneLine.unicodeScalars {
      let bytes = Array(String(scalar).utf8)
      // 45 bytes are 60 characters of base64, and the brackets around them are 12.
      if words[words.count - 1].count + bytes.count > 45 { words.append([]) }
      words[words.count - 1] += bytes
    }
    return words.map { "=?utf-8?B?\(Base64.encoded($0))?=" }.joined(separator: "\r\n ")
  }
}

extension Array {
  /// Consecutive slices of a number of elements; the last may be shorter.
  fileprivate func slices(of size: Int) -> [ArraySlice<Element>] {
    stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
  }
}
