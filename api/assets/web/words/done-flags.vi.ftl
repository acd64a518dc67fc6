done-flags-acknowledged = Đã tiếp nhận cảnh báo.
done-flags-under-review = Đã bắt đầu xem xét cảnh báo.
done-flags-upheld = Đã kết luận cảnh báo có căn cứ.
done-flags-dismissed = Đã bỏ cảnh báo.
done-flags-explained = Đã ghi nhận giải trình của công chức.
