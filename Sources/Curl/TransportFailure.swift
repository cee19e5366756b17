import CCurl
import Delivery

extension TransportFailure {
  /// What libcurl's result means. Its message names at most the receiver's host and address, never the rest of a URL.
  init(_ code: CURLcode, of handle: EasyHandle, behind gate: AddressGate) {
    if code == CURLE_COULDNT_CONNECT, let address = gate.refusedAddress {
      self.init(.forbiddenAddress, detail: address)
      return
    }
    let stage = Self.stage(of: code)
    let message = stage.hasSafeMessages ? handle.errorMessage : ""
    self.init(stage, detail: message.isEmpty ? Self.text(of: code) : message)
  }

  /// A transfer that libcurl would not take.
  init(_ refused: EasyHandle.Refused) { self.init(Self.stage(of: refused.code), detail: Self.text(of: refused.code)) }

  private static func text(of code: CURLcode) -> String {
    switch code {
    // Which of these it is depends on the moment, and on whether the connection had served before.
    case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE: "it ended without a whole answer"
    default: String(cString: curl_easy_strerror(code))
    }
  }

  private static func stage(of code: CURLcode) -> Stage {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST: .resolving
    case CURLE_COULDNT_CONNECT: .connecting
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_USE_SSL_FAILED, CURLE_SSL_CACERT_BADFILE,
      CURLE_SSL_CIPHER, CURLE_SSL_CERTPROBLEM:
      .securing
    case CURLE_OPERATION_TIMEDOUT: .timeout
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT: .malformed
    default: .talking
    }
  }
}

extension TransportFailure.Stage {
  /// Whether libcurl's messages at this stage are made of host, address, port and certificate alone.
  fileprivate var hasSafeMessages: Bool {
    switch self {
    case .resolving, .connecting, .securing, .timeout: true
    case .forbiddenAddress, .talking, .malformed: false
    }
  }
}
