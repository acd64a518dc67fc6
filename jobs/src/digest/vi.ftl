mark = Dữ liệu minh họa: mọi đơn vị, công chức và doanh nghiệp trong bản tin này đều do máy sinh ra.
mark-short = [MINH HỌA]
title = Bản tin phản ánh của doanh nghiệp
subject = Bản tin phản ánh đến ngày { $day }: { $flags } cảnh báo mới, { $overdue } phản ánh quá hạn
board = Ban Triển khai dự án
up-to = Số liệu đến hết ngày { $day }.
since = So với bản tin đến ngày { $day }.
first = Đây là bản tin đầu tiên: mọi cảnh báo đang mở đều được coi là mới.
stale = Kết quả “{ $job }” mới có đến ngày { $day }.
not-guilt = Cảnh báo là đề nghị xem xét, không phải kết luận về vi phạm. Việc xử lý do người có thẩm quyền quyết định.

flags = Cảnh báo về công chức và chi cục
flags-total = Đang có { $total } cảnh báo: { $suspension } đề nghị xem xét đình chỉ, { $review } đề nghị xem xét, { $watch } theo dõi.
flags-none = Không có thay đổi nào.
flags-new = Mới ({ $count })
flags-raised = Tăng mức ({ $count })
flags-lowered = Giảm mức ({ $count })
flags-gone = Không còn cảnh báo ({ $count })
flags-dismissed = Ban đã bác cảnh báo ({ $count })
flags-retracted = Rút lại do căn cứ đã được đính chính ({ $count })
more = … và { $count } trường hợp khác: xem danh sách đầy đủ trên hệ thống.
OFFICER = Công chức
BRANCH = Chi cục
WATCH = Theo dõi
REVIEW = Xem xét
SUSPENSION_REVIEW = Xem xét đình chỉ
was = trước đây: { $tier }

overdue = Phản ánh quá hạn trả lời
overdue-total = { $count } phản ánh chưa được trả lời dù đã hết hạn.
escalated = Mới chuyển lên cấp trên: { $department } lên cục, { $top } lên Tổng cục.
branch = Chi cục
count = Số phản ánh
oldest = Quá hạn lâu nhất
days = { $count } ngày

rising = Nội dung phản ánh tăng
rising-none = Không có nội dung nào tăng rõ rệt.
rising-note = So sánh { $recent } ngày gần nhất với { $before } ngày trước đó; chỉ nêu những mức tăng khó có thể là ngẫu nhiên.
rising-young = Hệ thống còn mới, chưa đủ dữ liệu để nói nội dung nào tăng: cần 60 ngày.
category = Nội dung
recent = Gần đây
expected = Mức thường

cost = Chi phí và chậm trễ
cost-line = Trong { $days } ngày: { $count } phản ánh, chi phí { $cost }, chậm trễ { $hours } giờ.
cost-before = { $days } ngày trước đó: { $count } phản ánh, chi phí { $cost }, chậm trễ { $hours } giờ.

answers = Đơn vị trả lời tốt nhất và chậm nhất
answers-note = Tỷ lệ trả lời đúng hạn trong { $days } ngày, tính trên các phản ánh đã hết hạn; phản ánh còn mở được tính đến ngày chốt. Chỉ xếp hạng đơn vị có từ { $least } phản ánh đã hết hạn.
answers-all = Toàn ngành: { $share } đúng hạn; một nửa số phản ánh được trả lời trong { $median }.
answers-all-no-median = Toàn ngành: { $share } đúng hạn; chưa đến một nửa số phản ánh được trả lời.
answers-none = Chưa có đơn vị nào đủ số phản ánh để xếp hạng.
best = Tốt nhất
worst = Chậm nhất
share = Đúng hạn
median = Trung vị
never = chưa đến một nửa

register = Thay đổi trong sổ phản ánh
register-none = Không có thay đổi nào.
RECEIVED = { $count } phản ánh mới được ghi nhận
UPDATED = { $count } lần sửa đổi
STATE_CHANGED = { $count } lần đổi trạng thái
RESPONDED = { $count } lần trả lời
UNIT_TREE_CORRECTED = { $count } phản ánh được sửa đơn vị cấp trên
footer = Vị trí của sổ: { $position }. Bản tin này được lập từ các kết quả đã lưu.
seal = Niêm phong mới nhất: { $name }
