import Testing

/// The design's table of modules.
enum Design {
  /// Who may import whom. A change here is a change of the design.
  static let modules: [String: Set<String>] = [
    "JSON": [],
    "Host": ["CProcess"],
    "Spool": ["Host", "JSON", "CZlib"],
    "FastCGI": ["CFCGI"],
    "Postgres": ["CPQ"],
    "Matching": ["JSON", "CRE2", "CQuotes"],
    "Delivery": ["JSON", "Matching", "CCrypto"],
    "Curl": ["CCurl", "Delivery"],
    "StorageWatch": ["JSON", "Matching", "Delivery", "Host"],
    "Hooks": ["StorageWatch", "Curl", "Delivery", "JSON", "Host"],
    "Store": ["Postgres", "JSON", "Matching", "Delivery", "Host"],
    "Tokens": ["JSON", "CCrypto"],
    "API": ["FastCGI", "JSON", "Postgres", "Host", "Matching", "Store", "Tokens"],
  ]

  /// What a program may import: of a folder with several programs, each takes what it needs.
  static let programs: [String: Set<String>] = [
    "Routes": ["API", "Store", "Spool", "Matching", "Delivery", "JSON", "FastCGI", "Host", "Postgres"],
    "Jobs": [
      "Store", "Spool", "StorageWatch", "Hooks", "Matching", "Delivery", "Curl", "Host", "JSON", "Postgres",
    ],
    "Tocsin": [
      "Store", "StorageWatch", "Hooks", "Postgres", "Host", "Curl", "Delivery", "Matching", "ArgumentParser",
    ],
  ]
}

@Suite("How the project is laid out")
struct StructureTests {
  let checkout: Checkout

  init() throws { checkout = try Checkout.shared.get() }

  @Test("A module imports all that the design says, and nothing else", arguments: Design.modules.keys.sorted())
  func moduleImports(module: String) {
    #expect(imports(of: "Sources/\(module)") == Design.modules[module])
  }

  @Test("A program imports only what the design lets it import", arguments: Design.programs.keys.sorted())
  func programImports(folder: String) {
    #expect(imports(of: "Sources/\(folder)").subtracting(Design.programs[folder] ?? []) == [])
  }

  @Test("The manifest says what the design says", arguments: Design.modules.keys.sorted())
  func manifestImports(module: String) throws {
    let declaration = try Regex("library\\(\"\(module)\"(.*)\\)").dotMatchesNewlines(false)
    let line = try #require(manifest.firstMatch(of: declaration)?.output[1].substring)
    #expect(Set(strings(in: line)) == Design.modules[module])
  }

  @Test("Every folder of sources is a module or holds programs")
  func folders() {
    let known = Set(Design.modules.keys).union(Design.programs.keys).union(["C"])
    #expect(checkout.folders(in: "Sources") == known)
  }

  @Test(
    "A route and a job is a folder and a word in the manifest", arguments: [("routes", "Routes"), ("jobs", "Jobs")])
  func programs(list: String, folder: String) throws {
    let declaration = try Regex("let \(list) = \\[([^\\]]*)\\]")
    let words = try #require(manifest.firstMatch(of: declaration)?.output[1].substring)
    #expect(checkout.folders(in: "Sources/\(folder)") == Set(strings(in: words)))
  }

  @Test("Every folder of tests is in the manifest")
  func testTargets() {
    let missing = checkout.folders(in: "Tests").filter { folder in
      !["\"\(folder)\"", "\"Tests/\(folder)\"", "\"Tests/\(folder)/"].contains(where: manifest.contains)
    }
    #expect(missing == [])
  }

  @Test("The top level is fixed")
  func topLevel() {
    let allowed: Set = ["Package.swift", "README.md", "Sources", "Tests", "nginx", "deploy"]
    let names = Set(checkout.files.compactMap { $0.path.split(separator: "/").first.map(String.init) })
    #expect(names.filter { !allowed.contains($0) && !$0.hasPrefix(".") } == [])
  }

  @Test("Migrations are numbered from 1 without a gap and named by words")
  func migrations() {
    let names = checkout.files.filter { $0.isUnder("deploy/migrations") }.map { $0.path.split(separator: "/")[2] }
      .sorted()
    for (index, name) in names.enumerated() {
      let number = name.wholeMatch(of: #/(\d{4})_[a-z0-9]+(_[a-z0-9]+)*\.sql/#).flatMap { Int($0.1) }
      #expect(number == index + 1, "\(name)")
    }
  }

  @Test("The README tells of every route")
  func readme() throws {
    let readme = try #require(checkout.file("README.md"))
    let text = readme.lines.joined(separator: "\n")
    #expect(checkout.folders(in: "Sources/Routes").filter { !text.contains("`\($0)`") } == [])
  }

  @Test("What the routes find in their settings Apache hands on to those that it starts for each request")
  func settingsOfCGI() throws {
    let sources = checkout.swiftFiles(
      under: "Sources/API", "Sources/Routes", "Sources/Store", "Sources/Spool", "Sources/Host")
    // For how long what is kept, only deliver asks; and of the first key the digest will do.
    let read = sources.flatMap { $0.lines.flatMap(strings) }.filter { name in
      name.wholeMatch(of: #/ALERTING_[A-Z0-9_]+/#) != nil && !name.hasPrefix("ALERTING_KEEP_")
        && name != "ALERTING_API_KEY"
    }
    let configuration = try #require(checkout.file("deploy/apache/tocsin-cgi.conf"))
    let passed = configuration.lines.map { $0.split(separator: " ") }.filter { $0.first == "PassEnv" }
    #expect(Set(passed.flatMap { $0.dropFirst().map(String.init) }) == Set(read))
  }

  private var manifest: String { checkout.file("Package.swift")?.lines.joined(separator: "\n") ?? "" }

  private func imports(of folder: String) -> Set<String> {
    let names = checkout.swiftFiles(under: folder).flatMap { file in
      file.lines.compactMap { line in
        line.prefixMatch(of: #/(@\w+ )*(\w+ )?import (?:(?:struct|class|enum|func|protocol) )?(\w+)/#).map {
          String($0.3)
        }
      }
    }
    return Set(names).subtracting(["Glibc", "Synchronization"])
  }

  private func strings(in text: Substring) -> [String] { text.matches(of: #/"([^"]+)"/#).map { String($0.1) } }
}
