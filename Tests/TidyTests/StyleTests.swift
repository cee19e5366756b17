import Testing

@Suite("How the code is written")
struct StyleTests {
  let checkout: Checkout

  init() throws { checkout = try Checkout.shared.get() }

  @Test("A file has at most 400 lines")
  func fileLength() {
    let long = checkout.files.filter { $0.lines.count > 401 && $0.isUnder("Sources", "Tests", "nginx", "deploy") }
      .filter { !["deploy/schema.sql", "nginx/docs/openapi.json"].contains($0.path) }
    #expect(long.map(\.path) == [])
  }

  @Test("A function has at most 70 lines")
  func functionLength() {
    let long = checkout.swiftFiles(under: "Sources", "Tests").flatMap { file in
      functions(of: file).filter { $0.count > 70 }.map { "\(file.path):\($0.lowerBound + 1)" }
    }
    #expect(long == [])
  }

  @Test("Sources do without Foundation; the command line may have its essentials")
  func foundation() {
    let found = checkout.swiftFiles(under: "Sources").flatMap { file in
      file.places { line in
        line.contains(#/^\s*(\w+ )*import Foundation/#)
          && !(file.isUnder("Sources/Tocsin") && line.contains("import FoundationEssentials"))
      }
    }
    #expect(found == [])
  }

  @Test("No error is swallowed")
  func swallowedErrors() {
    let found = checkout.swiftFiles(under: "Sources").flatMap { file in
      file.places { $0.contains(#/\btry\?/#) || $0.contains(#/catch\s*\{\s*(\}|return\b)/#) }
        + zip(file.lines, file.lines.dropFirst()).enumerated()
        .filter { $1.0.contains(#/catch[^{]*\{$/#) && $1.1.contains(#/^\s*\}/#) }
        .map { "\(file.path):\($0.offset + 1)" }
    }
    #expect(found == [])
  }

  @Test("Nothing gets to standard error but by the log, which no text can forge a line of")
  func standardError() {
    let found = checkout.swiftFiles(under: "Sources").filter { $0.path != "Sources/Host/Log.swift" }.flatMap { file in
      file.places {
        $0.contains(#/write\((STDERR_FILENO|2),|\b(fputs|perror|syslog|debugPrint|dump)\(|FileHandle\.standardError/#)
      }
    }
    #expect(found == [])
  }

  @Test("Nothing is left to be done later")
  func leftovers() {
    let mark = #/\b(TODO|FIXME|XXX)\b|fatalError\("(not|un)/#
    let found = checkout.files.filter { $0.isUnder("Sources", "nginx", "deploy") || $0.path == "Package.swift" }
      .flatMap { $0.places { $0.contains(mark) } }
    #expect(found == [])
  }

  @Test("Every package declaration says what it is for")
  func documentation() {
    let bare = checkout.swiftFiles(under: "Sources").flatMap { file in
      file.lines.indices.filter { isPackageDeclaration(file.lines[$0]) && !isDocumented($0, in: file) }
        .map { "\(file.path):\($0 + 1)" }
    }
    #expect(bare == [])
  }

  @Test("No path of one machine is in the project")
  func machinePaths() throws {
    let homes = ["work", "root", "home", "farm"].joined(separator: "|")
    let path = try Regex(#"(^|[^A-Za-z0-9_.$}/-])/("# + homes + ")/")
    #expect(checkout.files.flatMap { $0.places { $0.contains(path) } } == [])
  }

  private func isPackageDeclaration(_ line: Substring) -> Bool {
    line.contains(#/^\s*(\w+ )*package (?!import\b)/#) && !line.contains(#/^\s*\/\//#)
  }

  /// Whether a comment stands above, or the declaration is one that a protocol asks for and explains.
  private func isDocumented(_ index: Int, in file: Checkout.File) -> Bool {
    let line = file.lines[index]
    let ofValues = #/var description|func hash\(|static func (==|<) |init\(\w+Literal|func write\(to /#
    let ofCollections = #/\b(startIndex|endIndex|position)\b/#
    if line.contains(ofValues) || line.contains(ofCollections) { return true }
    let indentation = line.prefix { $0 == " " }
    let enclosing = file.lines[..<index].last { !$0.isEmpty && !$0.hasPrefix(indentation) }
    if !indentation.isEmpty, enclosing?.contains(#/extension [^{]*:/#) == true { return true }
    let above = file.lines[..<index].last { !$0.contains(#/^\s*@/#) }
    return above?.contains(#/^\s*\/\/\/|\*\/\s*$/#) == true
  }

  /// The lines of each function, initializer and computed property: in formatted code a body ends with the first brace
  /// that is indented like its beginning.
  private func functions(of file: Checkout.File) -> [ClosedRange<Int>] {
    file.lines.indices.compactMap { start in
      guard let match = file.lines[start].prefixMatch(of: #/( *)([\w@()]+ )*(func|init|deinit|subscript|var)\b/#) else {
        return nil
      }
      let indentation = match.1
      for end in file.lines.indices[(start + 1)...] where !file.lines[end].isEmpty {
        let line = file.lines[end]
        if line.hasPrefix(indentation + "}") { return start...end }
        // A line at the same depth that opens or closes nothing: the declaration had no body.
        guard
          line.hasPrefix(indentation + " ") || line.hasPrefix(indentation + ")") || line.hasPrefix(indentation + "{")
        else {
          return nil
        }
      }
      return nil
    }
  }
}
