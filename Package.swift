// swift-tools-version: 6.2
import PackageDescription

/// One executable per API route: the name is the URL segment, the socket, the folder and the test file.
let routes = [
  "alerts", "audit-log", "deliveries", "health", "keys", "policies", "process-event", "providers", "rules",
  "suppressions",
]

/// One executable per job that cron starts.
let jobs = ["check-storage", "deliver", "export-audit", "replay"]

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

func library(_ name: String, imports: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: imports, path: "Sources/\(name)", swiftSettings: strict)
}

func cLibrary(_ name: String, pkgConfig: String? = nil) -> Target {
  .systemLibrary(name: name, path: "Sources/C/\(name)", pkgConfig: pkgConfig)
}

func tests(_ name: String, of imports: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: imports, path: "Tests/\(name)", swiftSettings: strict)
}

let routeTargets = routes.map { route in
  Target.executableTarget(
    name: route,
    dependencies: ["API", "Store", "Spool", "Matching", "Delivery", "JSON", "FastCGI", "Host", "Postgres"],
    path: "Sources/Routes/\(route)",
    swiftSettings: strict)
}

let jobTargets = jobs.map { job in
  Target.executableTarget(
    name: job,
    dependencies: [
      "Store", "Spool", "StorageWatch", "Hooks", "Matching", "Delivery", "Curl", "Host", "JSON", "Postgres",
    ],
    path: "Sources/Jobs/\(job)",
    swiftSettings: strict)
}

/// Programs that measure; never installed.
let benchmarks = [
  benchmark("delivery", of: ["BenchmarkInstance", "Delivery", "Host", "JSON", "Store", "TestSupport"]),
  benchmark("keys", of: ["BenchmarkInstance", "Store"]),
  benchmark("load", of: ["Store", "Postgres", "Matching", "JSON", "Host", "TestSupport"]),
  benchmark("lookup", of: ["FastCGI", "Host", "Postgres"]),
  benchmark("match", of: ["Allocations", "JSON", "Matching"]),
  benchmark("protection", of: ["BenchmarkInstance"]),
  benchmark("service", of: ["BenchmarkInstance", "Store"]),
  benchmark("sink", of: ["FastCGI"]),
  benchmark("spool", of: ["BenchmarkInstance"]),
  benchmark("batch", of: ["BenchmarkInstance", "TestSupport"]),
]

func benchmark(_ name: String, of imports: [Target.Dependency]) -> Target {
  .executableTarget(
    name: "\(name)-benchmark", dependencies: imports, path: "Tests/Benchmarks/\(name)", swiftSettings: strict)
}

/// It is linked with libFuzzer, so deploy/fuzz builds it apart.
let fuzzers: [Target] =
  Context.environment["TOCSIN_FUZZ"] == nil
  ? []
  : [
    .executableTarget(
      name: "fuzz", dependencies: ["API", "FastCGI", "JSON", "Matching", "Spool", "Tokens"], path: "Tests/Fuzz",
      exclude: ["Corpus"], swiftSettings: strict)
  ]

let package = Package(
  name: "tocsin",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    cLibrary("CFCGI", pkgConfig: "fcgi"),
    cLibrary("CPQ", pkgConfig: "libpq"),
    cLibrary("CCurl", pkgConfig: "libcurl"),
    cLibrary("CCrypto", pkgConfig: "libcrypto"),
    cLibrary("CProcess"),
    cLibrary("CZlib", pkgConfig: "zlib"),
    .target(name: "CRE2", path: "Sources/C/CRE2", linkerSettings: [.linkedLibrary("re2")]),
    .target(name: "CQuotes", path: "Sources/C/CQuotes"),
    library("JSON"),
    library("Host", imports: ["CProcess"]),
    library("Spool", imports: ["Host", "JSON", "CZlib"]),
    library("FastCGI", imports: ["CFCGI"]),
    library("Postgres", imports: ["CPQ"]),
    library("Matching", imports: ["JSON", "CRE2", "CQuotes"]),
    library("Delivery", imports: ["JSON", "Matching", "CCrypto"]),
    library("Curl", imports: ["CCurl", "Delivery"]),
    library("StorageWatch", imports: ["JSON", "Matching", "Delivery", "Host"]),
    library("Hooks", imports: ["StorageWatch", "Curl", "Delivery", "JSON", "Host"]),
    library("Store", imports: ["Postgres", "JSON", "Matching", "Delivery", "Host"]),
    library("Tokens", imports: ["JSON", "CCrypto"]),
    library("API", imports: ["FastCGI", "JSON", "Postgres", "Host", "Matching", "Store", "Tokens"]),
    .executableTarget(
      name: "tocsin",
      dependencies: [
        "Store", "StorageWatch", "Hooks", "Postgres", "Host", "Curl", "Delivery", "Matching",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/Tocsin",
      swiftSettings: strict),
    .target(name: "Allocations", path: "Tests/Benchmarks/allocations"),
    .target(
      name: "TestSupport", dependencies: ["CCrypto", "Delivery", "Host", "JSON", "Postgres", "Store"],
      path: "Tests/TestSupport",
      exclude: ["http_receiver.py", "mail_receiver.py", "syslog_receiver.py", "verify_webhook.py"],
      swiftSettings: strict
    ),
    .target(
      name: "BenchmarkInstance", dependencies: ["Store"], path: "Tests/Benchmarks/instance", swiftSettings: strict),
    tests("CurlTests", of: ["Curl", "Delivery", "TestSupport"]),
    tests("JSONTests", of: ["JSON"]),
    tests("PostgresTests", of: ["Postgres", "Host", "TestSupport"]),
    tests("StoreTests", of: ["Store", "Postgres", "Matching", "Delivery", "JSON", "Host", "TestSupport"]),
    tests("StorageWatchTests", of: ["StorageWatch", "Delivery", "Host", "JSON"]),
    tests("HooksTests", of: ["Hooks", "StorageWatch", "Delivery", "Host", "JSON", "TestSupport"]),
    tests("SpoolTests", of: ["Spool", "Host", "JSON", "TestSupport"]),
    tests("TidyTests", of: []),
    .testTarget(
      name: "EndToEndTests", dependencies: ["JSON", "Matching", "Postgres", "Store", "TestSupport"],
      path: "Tests/EndToEndTests", exclude: ["Description"], swiftSettings: strict),
    tests("TokensTests", of: ["Tokens", "JSON", "TestSupport"]),
    tests("HostTests", of: ["Host", "TestSupport"]),
    tests("APITests", of: ["API", "JSON", "Store"]),
    tests("MatchingTests", of: ["Matching", "JSON"]),
    .testTarget(
      name: "RouteTests",
      dependencies: ["API", "JSON", "Host", "Matching", "Postgres", "Spool", "Store", "TestSupport"]
        + routes.map { .init(stringLiteral: $0) },
      path: "Tests/RouteTests",
      swiftSettings: strict),
    .testTarget(
      name: "JobTests",
      dependencies: [
        "Store", "Spool", "StorageWatch", "Delivery", "Matching", "JSON", "Host", "Postgres", "TestSupport",
      ]
        + jobs.map { .init(stringLiteral: $0) },
      path: "Tests/JobTests",
      swiftSettings: strict),
    .executableTarget(
      name: "fastcgi-test-worker",
      dependencies: ["FastCGI"],
      path: "Tests/FastCGITests/Worker",
      swiftSettings: strict),
    .testTarget(
      name: "FastCGITests",
      dependencies: ["FastCGI", "Host", "TestSupport", "fastcgi-test-worker"],
      path: "Tests/FastCGITests",
      exclude: ["Worker"],
      swiftSettings: strict),
    tests("DeliveryTests", of: ["Delivery", "Matching", "JSON"]),
  ] + routeTargets + jobTargets + benchmarks + fuzzers,
  cxxLanguageStandard: .cxx17
)
