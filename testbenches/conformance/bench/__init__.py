"""What scenarios and the fuzzer drive a device with: qtest, the machine behind it, a driver."""
