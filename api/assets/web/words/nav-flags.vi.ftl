nav-flags = Cảnh báo
