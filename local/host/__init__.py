"""The local Functions host: runs the app's triggers as the platform would, without the cloud."""
