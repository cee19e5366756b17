import CCurl
import Glibc

/// What is done once in a process.
enum Library {
  /// Sets libcurl up. From then on the process ignores SIGPIPE: TLS writes to connections that the other side may have closed.
  static let setUp: CURLMcode = {
    signal(SIGPIPE, SIG_IGN)
    return curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK ? CURLM_OK : CURLM_INTERNAL_ERROR
  }()
}
