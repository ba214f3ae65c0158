"""Scenarios, a module for each part of the device."""
