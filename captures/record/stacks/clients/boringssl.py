"""libcurl on BoringSSL with its defaults, as the package curl_cffi has it: boringssl.py ANCHORS.pem HOST"""
import sys

from curl_cffi import Curl, CurlError, CurlOpt

curl = Curl()
curl.setopt(CurlOpt.URL, f"https://{sys.argv[2]}/".encode())
curl.setopt(CurlOpt.CAINFO, sys.argv[1].encode())
curl.setopt(CurlOpt.HTTP_VERSION, 1)
curl.setopt(CurlOpt.TIMEOUT, 8)
curl.setopt(CurlOpt.WRITEFUNCTION, lambda data: len(data))
try:
    curl.perform()
    print("accepted")
except CurlError as error:
    print("refused", error)
